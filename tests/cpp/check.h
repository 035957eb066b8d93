#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

// A test harness that needs nothing but the compiler, so that the tests cross-compile as they are.
//   TEST(Subject, WhatItDoesWhen) { CHECK(...); }     and once per file:  CHECK_MAIN()
// Run a file's tests with no argument, or only those whose "Subject.What" contains argv[1].
namespace check {

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
inline int& failures() {
  static int count = 0;
  return count;
}
inline bool add(const char* name, void (*body)()) {
  tests().push_back({name, body});
  return true;
}
inline void fail(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
  ++failures();
}

inline int run(int argc, char** argv) {
  int passed = 0;
  int failed = 0;
  for (const Test& test : tests()) {
    if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
    const int before = failures();
    try {
      test.body();
    } catch (const std::exception& error) {
      fail(test.name, 0, std::string("threw ") + error.what());
    }
    const bool ok = failures() == before;
    ok ? ++passed : ++failed;
    if (!ok) std::fprintf(stderr, "FAILED %s\n", test.name);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace check

#define TEST(subject, does)                                                                      \
  static void subject##_##does();                                                                \
  static const bool subject##_##does##_added = check::add(#subject "." #does, subject##_##does); \
  static void subject##_##does()

#define CHECK(condition) \
  ((condition) ? void() : check::fail(__FILE__, __LINE__, "not true: " #condition))

#define CHECK_EQ(a, b) \
  ((a) == (b) ? void() : check::fail(__FILE__, __LINE__, "not equal: " #a " and " #b))

/// |a - b| <= tolerance; prints both values.
#define CHECK_NEAR(a, b, tolerance)      \
  (std::abs((a) - (b)) <= (tolerance)    \
       ? void()                          \
       : check::fail(__FILE__, __LINE__, \
                     #a " is " + std::to_string(a) + "; " #b " is " + std::to_string(b)))

/// `expression` throws geng::Error with this code (include geng/error.h) and a sentence holding
/// `text`.
#define CHECK_ERROR(expression, wanted, text)                                                  \
  try {                                                                                        \
    static_cast<void>(expression);                                                             \
    check::fail(__FILE__, __LINE__, "did not throw: " #expression);                            \
  } catch (const geng::Error& error) {                                                         \
    const bool right = error.code() == (wanted) && std::strstr(error.what(), text) != nullptr; \
    if (!right) check::fail(__FILE__, __LINE__, std::string("threw: ") + error.what());        \
  }

#define CHECK_MAIN() \
  int main(int argc, char** argv) { return check::run(argc, argv); }
