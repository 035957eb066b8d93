#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include "bench/gguf_writer.h"
#include "check.h"
#include "format/gguf.h"
#include "format/utf8.h"
#include "geng/error.h"

using geng::Code;
using geng::ModelFile;

namespace {

constexpr std::uint64_t kHuge = ~std::uint64_t{0};

/// What ModelFile says about these bytes; empty when it takes them.
std::string verdict(const std::string& bytes) {
  const geng::gguf::Image image(bytes);
  try {
    static_cast<void>(ModelFile::from_bytes(image.bytes(), "x.gguf"));
    return "";
  } catch (const geng::Error& error) {
    return error.code() == Code::model_file ? error.what() : "another code";
  }
}

/// The tiny file with one thing wrong is refused with a sentence that holds `text`.
void check_refused(const std::string& text, const std::function<void(geng::gguf::File&)>& spoil) {
  geng::gguf::File file = geng::gguf::tiny();
  spoil(file);
  const std::string said = verdict(file.build());
  if (said.find(text) == std::string::npos || !said.starts_with("x.gguf: ")) {
    check::fail(__FILE__, __LINE__, "wanted '" + text + "', got '" + said + "'");
  }
}

}  // namespace

TEST(ModelFile, ReadsWhatWasWritten) {
  const geng::gguf::Image image(geng::gguf::tiny().build());
  const ModelFile file = ModelFile::from_bytes(image.bytes(), "x.gguf");
  CHECK_EQ(file.string("general.name"), "tiny");
  CHECK_EQ(file.u32("number"), 7u);
  CHECK_EQ(file.f32("real"), 0.25f);
  CHECK_EQ(file.strings("words"), (std::vector<std::string_view>{"a", "bc", ""}));
  CHECK_EQ(file.metadata().size(), 7u);
  CHECK(file.has("flag") && !file.has("flags"));
  CHECK_EQ(file.tensors().size(), 2u);
  const std::size_t shape[] = {2, 3};
  CHECK_EQ(file.f32_tensor("first", shape).size(), 6u);
  CHECK_EQ(file.f32_tensor("first", shape)[5], 0.5f);
  CHECK_EQ(file.tensor("second").i8()[4], 3);
  CHECK_EQ(file.find_tensor("third"), nullptr);
  CHECK_EQ(file.fingerprint(), file.string("geng.sha256"));
}

TEST(ModelFile, StaysReadableWhenItIsMoved) {
  const std::string path = "/tmp/geng-test-" + std::to_string(getpid()) + ".gguf";
  std::ofstream(path, std::ios::binary) << geng::gguf::tiny().build();
  ModelFile opened = ModelFile::open(path);
  std::filesystem::remove(path);  // the mapping lives on
  const ModelFile file = std::move(opened);
  CHECK_EQ(file.tensor("second").i8()[0], 3);
  CHECK_EQ(file.string("general.name"), "tiny");
  CHECK_EQ(file.path(), path);
}

TEST(ModelFile, SaysWhatItWantedOfAKeyOrATensor) {
  const geng::gguf::Image image(geng::gguf::tiny().build());
  const ModelFile file = ModelFile::from_bytes(image.bytes(), "x.gguf");
  CHECK_ERROR(file.u32("absent"), Code::model_file,
              "x.gguf: key 'absent' is missing; it must be an unsigned integer");
  CHECK_ERROR(file.u32("real"), Code::model_file, "'real' is of another type");
  CHECK_ERROR(file.f32("number"), Code::model_file, "it must be a floating-point number");
  CHECK_ERROR(file.string("number"), Code::model_file, "it must be a string");
  CHECK_ERROR(file.strings("list"), Code::model_file, "'list' is an array of numbers");
  CHECK_ERROR(file.tensor("third"), Code::model_file, "tensor 'third' is missing");
  const std::size_t shape[] = {3, 2};
  CHECK_ERROR(file.f32_tensor("first", shape), Code::model_file,
              "tensor 'first' is float32 [2, 3]; it must be float32 [3, 2]");
  const std::size_t five[] = {5};
  CHECK_ERROR(file.f32_tensor("second", five), Code::model_file,
              "tensor 'second' is int8 [5]; it must be float32 [5]");
}

TEST(ModelFile, RefusesWhatIsNoFile) {
  CHECK_ERROR(ModelFile::open("/nowhere/x.gguf"), Code::model_file,
              "/nowhere/x.gguf: cannot be opened");
  CHECK_ERROR(ModelFile::open("/tmp"), Code::model_file, "/tmp: is not a regular file");
  CHECK_ERROR(ModelFile::open("/dev/null"), Code::model_file, "is not a regular file");
  const std::string fifo = "/tmp/geng-test-" + std::to_string(getpid()) + ".fifo";
  CHECK_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  CHECK_ERROR(ModelFile::open(fifo), Code::model_file, "is not a regular file");
  std::filesystem::remove(fifo);
}

TEST(ModelFile, RefusesAFileCutAtAnyByte) {
  const std::string whole = geng::gguf::tiny().build();
  CHECK_EQ(verdict(whole), "");
  // The last tensor's padding may be missing or not; everything before it may not.
  const std::size_t end = whole.size() - 32 + 5;
  for (std::size_t size = 0; size < end; ++size) {
    const std::string said = verdict(whole.substr(0, size));
    if (said.empty() || said == "another code") {
      check::fail(__FILE__, __LINE__, "cut at " + std::to_string(size) + ": '" + said + "'");
    }
  }
  CHECK(verdict(whole.substr(0, end - 1)).find("tensor 'second' ends at byte ") !=
        std::string::npos);
}

TEST(ModelFile, NeverCrashesOnAFlippedByte) {
  const std::string whole = geng::gguf::tiny().build();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
      std::string spoilt = whole;
      spoilt[i] = static_cast<char>(static_cast<unsigned char>(spoilt[i]) ^ flip);
      CHECK(verdict(spoilt) != "another code");
    }
  }
}

TEST(ModelFile, RefusesAnotherMagicOrVersion) {
  check_refused("does not begin with GGUF", [](geng::gguf::File& f) { f.magic = "GGML"; });
  check_refused("GGUF version 2; this build reads 3", [](geng::gguf::File& f) { f.version = 2; });
  check_refused("GGUF version 50331648", [](geng::gguf::File& f) { f.version = 0x03000000; });
}

TEST(ModelFile, RefusesCountsBeyondItsLimitsBeforeItAllocates) {
  check_refused("tensor count is 4097; it must be 1 to 4096",
                [](geng::gguf::File& f) { f.tensor_count = 4097; });
  check_refused("tensor count is 0; it", [](geng::gguf::File& f) { f.tensor_count = 0; });
  check_refused("tensor count is 18446744073709551615",
                [](geng::gguf::File& f) { f.tensor_count = kHuge; });
  check_refused("key count is 1025; it must be 0 to 1024",
                [](geng::gguf::File& f) { f.field_count = 1025; });
  check_refused("", [](geng::gguf::File& f) { f.tensor_count = 4096; });
  check_refused("", [](geng::gguf::File& f) { f.field_count = 1024; });
}

TEST(ModelFile, RefusesBadStrings) {
  using geng::gguf::raw;
  check_refused("key 'long' is a string of 1048577 bytes; it must have at most 1048576",
                [](geng::gguf::File& f) {
                  f.fields = {{"long", geng::gguf::string(std::string((1 << 20) + 1, 'a'))}};
                });
  check_refused("is a string of 18446744073709551615 bytes", [](geng::gguf::File& f) {
    f.fields = {{"k", raw(std::uint32_t{8}) + raw(kHuge)}};
  });
  check_refused("needs 1000 more; the file has", [](geng::gguf::File& f) {
    f.fields = {{"k", raw(std::uint32_t{8}) + raw(std::uint64_t{1000})}};
  });
  check_refused("key 'k' is a string that is not UTF-8",
                [](geng::gguf::File& f) { f.fields = {{"k", geng::gguf::string("\xff")}}; });
}

TEST(ModelFile, RefusesBadValues) {
  using geng::gguf::raw;
  check_refused("key 'k' has value type 13; it must be 0 to 12",
                [](geng::gguf::File& f) { f.fields = {{"k", raw(std::uint32_t{13})}}; });
  check_refused("key 'k' is 2; it must be 0 to 1", [](geng::gguf::File& f) {
    f.fields = {{"k", raw(std::uint32_t{7}) + raw(std::uint8_t{2})}};
  });
  check_refused("key 'k' is an array of type 9; it must hold scalars or strings",
                [](geng::gguf::File& f) { f.fields = {{"k", geng::gguf::array(9, 1, "")}}; });
  check_refused("key 'k' entry count is 131073; it must be 0 to 131072",
                [](geng::gguf::File& f) { f.fields = {{"k", geng::gguf::array(0, 131073, "")}}; });
  check_refused("key 'k' entry count is 18446744073709551615",
                [](geng::gguf::File& f) { f.fields = {{"k", geng::gguf::array(12, kHuge, "")}}; });
  check_refused("the file has",
                [](geng::gguf::File& f) { f.fields = {{"k", geng::gguf::array(12, 131072, "")}}; });
  check_refused("key 'number' stands twice",
                [](geng::gguf::File& f) { f.fields.emplace_back("number", geng::gguf::u32(8)); });
  check_refused("general.alignment is 64; it must be 32", [](geng::gguf::File& f) {
    f.fields.emplace_back("general.alignment", geng::gguf::u32(64));
  });
}

TEST(ModelFile, RefusesBadTensorDeclarations) {
  check_refused("tensor 'first' rank is 0; it must be 1 to 4",
                [](geng::gguf::File& f) { f.tensors[0].ne = {}; });
  check_refused("tensor 'first' rank is 5",
                [](geng::gguf::File& f) { f.tensors[0].ne = {1, 1, 1, 1, 6}; });
  check_refused("tensor 'first' dimension 0 is 0; it must be 1 to 16777216",
                [](geng::gguf::File& f) { f.tensors[0].ne = {0, 2}; });
  check_refused("tensor 'first' dimension 1 is 16777217",
                [](geng::gguf::File& f) { f.tensors[0].ne = {1, 16777217}; });
  check_refused("has more than 1073741824 elements", [](geng::gguf::File& f) {
    f.tensors[0].ne = {1 << 24, 1 << 24, 1 << 24, 1 << 24};  // 2^96: the product overflows
  });
  check_refused("ends after more than 1073741824 bytes", [](geng::gguf::File& f) {
    f.tensors[0].ne = {1 << 24, 1 << 6};  // 2^32 bytes of float32: nothing, in 32 bits
  });
  check_refused("tensor 'first' has type 1; it must be 0 (float32) or 24 (int8)",
                [](geng::gguf::File& f) { f.tensors[0].type = 1; });
  check_refused("tensor 'first' stands twice",
                [](geng::gguf::File& f) { f.tensors[1].name = "first"; });
}

TEST(ModelFile, RefusesTensorsThatOverlapLeaveAGapOrRunOut) {
  check_refused("tensor 'second' starts at offset 0; it must be 32",
                [](geng::gguf::File& f) { f.tensors[1].offset = 0; });
  check_refused("tensor 'second' starts at offset 64; it must be 32",
                [](geng::gguf::File& f) { f.tensors[1].offset = 64; });
  check_refused("tensor 'second' starts at offset 24",
                [](geng::gguf::File& f) { f.tensors[1].offset = 24; });
  check_refused("tensor 'first' starts at offset 18446744073709551584",
                [](geng::gguf::File& f) { f.tensors[0].offset = kHuge - 31; });
  check_refused("tensor 'second' ends at byte ",
                [](geng::gguf::File& f) { f.tensors[1].ne = {1000}; });
  check_refused("its last tensor ends at byte ", [](geng::gguf::File& f) { f.trailing = "x"; });
  check_refused("its last tensor ends at byte ",
                [](geng::gguf::File& f) { f.trailing = std::string(32, '\0'); });
}

TEST(ModelFile, RefusesDataThatDoesNotMatchItsSum) {
  check_refused("key 'geng.sha256' is missing", [](geng::gguf::File& f) { f.sum = ""; });
  check_refused("geng.sha256 is '00'; it must be 64 lower-case hexadecimal digits",
                [](geng::gguf::File& f) { f.sum = "00"; });
  check_refused(std::string(64, '0') + ". The file was damaged or changed",
                [](geng::gguf::File& f) { f.sum = std::string(64, '0'); });
  std::string flipped = geng::gguf::tiny().build();
  flipped[flipped.size() - 30] ^= 1;
  CHECK(verdict(flipped).find("was damaged or changed") != std::string::npos);
}

TEST(ModelFile, TakesAFileWithoutTheLastPadding) {
  geng::gguf::File file = geng::gguf::tiny();
  file.tensors[1] = geng::gguf::f32_tensor("second", {8});
  CHECK_EQ(verdict(file.build()), "");
}

TEST(Utf8, TakesWhatIsWellFormedAndNothingElse) {
  for (const char* good :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(geng::is_utf8(good));
  }
  // A lone continuation, cut short, overlong, a surrogate, past U+10FFFF, a byte that never occurs.
  for (const char* bad : {"\x80", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xff", "a\xc3"}) {
    CHECK(!geng::is_utf8(bad));
  }
}
TEST(Shortened, CutsBetweenCharacters) {
  CHECK_EQ(geng::shortened("short"), "short");
  std::string name(63, 'a');
  name +=
      "\xe2\x82\xac"
      "b";
  CHECK_EQ(geng::shortened(name), std::string(63, 'a') + "...");
}

CHECK_MAIN()
