// The .npy reader: float32 matrices, and one sentence for everything else.

#include <string>
#include <vector>

#include "check.h"
#include "format/npy.h"
#include "geng/error.h"
#include "random_model.h"

using namespace geng;

namespace {

/// An .npy file of version 1.0 with this header and data.
std::string npy(const std::string& dictionary, const std::string& data) {
  std::string header = dictionary;
  header.resize((10 + header.size() + 63) / 64 * 64 - 10, ' ');
  return std::string("\x93NUMPY\x01", 7) + '\0' + static_cast<char>(header.size() & 255) +
         static_cast<char>(header.size() >> 8) + header + data;
}

std::string dictionary(const std::string& type, const std::string& order,
                       const std::string& shape) {
  return "{'descr': " + type + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

const std::string kFloats(24, '\0');

void check_refused(const std::string& bytes, const char* why) {
  const random_model::TempFile file(bytes);
  CHECK_ERROR(read_npy(file.path()), Code::invalid_argument, why);
}

}  // namespace

TEST(Npy, ReadsAMatrixInEveryVersion) {
  std::string bytes = npy(dictionary("'<f4'", "False", "(2, 3)"), kFloats);
  const float last = 2.5f;
  bytes.replace(bytes.size() - 4, 4, reinterpret_cast<const char*>(&last), 4);
  const NpyMatrix matrix = read_npy(random_model::TempFile(bytes).path());
  CHECK_EQ(matrix.rows, 2u);
  CHECK_EQ(matrix.cols, 3u);
  CHECK_EQ(matrix.values.back(), 2.5f);
  bytes[6] = 2;  // four bytes of length
  bytes.insert(10, std::string(2, '\0'));
  CHECK_EQ(read_npy(random_model::TempFile(bytes).path()).values, matrix.values);
}

TEST(Npy, RefusesEverythingElseInOneSentence) {
  check_refused("hello, world", "does not begin as an .npy file");
  check_refused(npy(dictionary("'<f8'", "False", "(2, 3)"), kFloats), "it must hold '<f4'");
  check_refused(npy(dictionary("'|O'", "False", "(2, 3)"), kFloats), "it must hold '<f4'");
  check_refused(npy(dictionary("'<f4'", "True", "(2, 3)"), kFloats), "it must be in C order");
  check_refused(npy(dictionary("'<f4'", "False", "(6,)"), kFloats), "not [rows, columns]");
  check_refused(npy(dictionary("'<f4'", "False", "(1, 2, 3)"), kFloats), "not [rows, columns]");
  check_refused(npy(dictionary("'<f4'", "False", "(-2, 3)"), kFloats), "not [rows, columns]");
  check_refused(npy("{}", kFloats), "has no 'descr'");
  check_refused(npy("{'descr': '<f4'", kFloats), "its header");
}

TEST(Npy, RefusesAShapeThatIsNotInTheFile) {
  for (const char* shape : {"(2, 4)", "(0, 3)", "(2, 2)", "(4294967296, 4294967296)",
                            "(9223372036854775808, 2)", "(99999999999999999999, 3)"}) {
    const random_model::TempFile file(npy(dictionary("'<f4'", "False", shape), kFloats));
    CHECK_ERROR(read_npy(file.path()), Code::invalid_argument, "; it must be");
  }
}

TEST(Npy, RefusesAShapeWhoseProductIsNothingIn32Bits) {
  const random_model::TempFile file(npy(dictionary("'<f4'", "False", "(65536, 65536)"), ""));
  CHECK_ERROR(read_npy(file.path()), Code::invalid_argument, "has 0 bytes of data; it must be");
}

TEST(Npy, RefusesAFileThatIsCutAnywhere) {
  const std::string whole = npy(dictionary("'<f4'", "False", "(2, 3)"), kFloats);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const random_model::TempFile file(whole.substr(0, size));
    bool refused = false;
    try {
      read_npy(file.path());
    } catch (const Error&) {
      refused = true;
    }
    CHECK(refused);
  }
}

CHECK_MAIN()
