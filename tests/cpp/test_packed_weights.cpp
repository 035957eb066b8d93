// The cache of packed weights: used only when it is ours, whole, and of the same model.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "check.h"
#include "format/packed_weights.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "random_model.h"

using namespace geng;
namespace fs = std::filesystem;

namespace {

const std::string kFingerprint(64, 'a');

PackedKey key() { return {kFingerprint, 1000, 5, "scalar", "1 1 0 4", 0}; }

/// An empty folder of its own, gone with the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("geng-packed-" + std::to_string(::getpid()));
  Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }

  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (!fs::exists(path)) return found;
    for (const auto& entry : fs::directory_iterator(path)) found.push_back(entry.path());
    return found;
  }
};

/// Asks for two blocks of bytes; returns how many of them had to be packed.
int take(PackedWeights& packed) {
  int times = 0;
  for (const std::size_t size : {100u, 64u}) {
    const std::byte* block = packed.block(size, [&](std::byte* out) {
      std::fill_n(out, size, std::byte{7});
      ++times;
    });
    CHECK_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    CHECK(std::all_of(block, block + size, [](std::byte b) { return b == std::byte{7}; }));
  }
  return times;
}

void write(const Folder& folder) {
  PackedWeights packed(folder.path.string(), key());
  CHECK_EQ(take(packed), 2);
  packed.save();
}

int packed_again(const Folder& folder, const PackedKey& with) {
  PackedWeights packed(folder.path.string(), with);
  return take(packed);
}

}  // namespace

TEST(PackedWeights, ComeFromTheFileInTheNextStart) {
  const Folder folder;
  write(folder);
  PackedWeights second(folder.path.string(), key());
  CHECK(second.is_cached());
  CHECK_EQ(take(second), 0);
  CHECK_EQ(folder.files().size(), 1u);  // and no temporary file is left
}

TEST(PackedWeights, WriteNothingWithoutAFolderAndNeedNone) {
  PackedWeights packed;
  CHECK_EQ(take(packed), 2);
  packed.save();
  PackedWeights unwritable("/proc/no/such/folder", key());
  CHECK_EQ(take(unwritable), 2);
  unwritable.save();
}

TEST(PackedWeights, ArePackedAgainWhenAnyPartOfTheKeyDiffers) {
  const Folder folder;
  write(folder);
  std::string other = kFingerprint;
  other[63] = 'b';  // beyond what the name of the file shows
  const PackedKey others[] = {{other, 1000, 5, "scalar", "1 1 0 4", 0},
                              {kFingerprint, 1001, 5, "scalar", "1 1 0 4", 0},
                              {kFingerprint, 1000, 6, "scalar", "1 1 0 4", 0},
                              {kFingerprint, 1000, 5, "avx2", "1 1 0 4", 0},
                              {kFingerprint, 1000, 5, "scalar", "2 1 0 4", 0},
                              {kFingerprint, 1000, 5, "scalar", "1 1 0 4", 1}};
  for (const PackedKey& with : others) CHECK_EQ(packed_again(folder, with), 2);
  CHECK_EQ(packed_again(folder, key()), 0);
}

TEST(PackedWeights, ArePackedAgainWhenAnyByteOfTheFileIsDamagedOrItIsCut) {
  const Folder folder;
  write(folder);
  const fs::path file = folder.files().front();
  const auto size = static_cast<std::streamoff>(fs::file_size(file));
  for (const std::streamoff at : {std::streamoff{3}, std::streamoff{200}, std::streamoff{4096},
                                  std::streamoff{4200}, size - 1}) {
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(at).put('!');
    damaged.close();
    CHECK_EQ(packed_again(folder, key()), 2);
    write(folder);  // and repaired by the next start
    CHECK_EQ(packed_again(folder, key()), 0);
  }
  for (const std::uintmax_t left :
       {std::uintmax_t{0}, std::uintmax_t{10}, std::uintmax_t{4096}, std::uintmax_t{4160}}) {
    fs::resize_file(file, left);
    CHECK_EQ(packed_again(folder, key()), 2);
    write(folder);
  }
}

TEST(PackedWeights, AreNotReadFromAFileThatOthersMayWriteOrALink) {
  const Folder folder;
  write(folder);
  const fs::path file = folder.files().front();
  ::chmod(file.c_str(), 0666);
  CHECK_EQ(packed_again(folder, key()), 2);
  ::chmod(file.c_str(), 0600);
  CHECK_EQ(packed_again(folder, key()), 0);
  const fs::path moved = folder.path / "elsewhere";
  fs::rename(file, moved);
  fs::create_symlink(moved, file);
  CHECK_EQ(packed_again(folder, key()), 2);
}

TEST(PackedWeights, LeaveNothingBesideATargetThatCannotBeReplaced) {
  const Folder folder;
  write(folder);
  const fs::path target = folder.files().front();
  fs::remove(target);
  fs::create_directories(target / "inside");
  for (int start = 0; start < 3; ++start) write(folder);
  CHECK_EQ(folder.files(), (std::vector<fs::path>{target}));
}

TEST(PackedWeights, AreNotWrittenThroughALinkThatStandsWhereTheTemporaryGoes) {
  const Folder folder;
  write(folder);
  const fs::path target = folder.files().front();
  const fs::path precious = folder.path / "precious";
  std::ofstream(precious) << "kept";
  const std::string own = target.string() + "." + std::to_string(::getpid());
  for (const char* end : {".tmp", ".0.tmp"}) fs::create_symlink(precious, own + end);
  fs::remove(target);
  write(folder);
  CHECK_EQ(fs::file_size(precious), 4u);
  CHECK_EQ(packed_again(folder, key()), 0);
  CHECK_EQ(fs::status(target).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(PackedWeights, TakeAwayWhatAStartThatDiedLeftUnfinished) {
  const Folder folder;
  write(folder);
  const std::string target = folder.files().front().string();
  const fs::path old = target + ".7.0.tmp";
  const fs::path fresh = target + ".8.0.tmp";
  const fs::path strange = folder.path / "notes.tmp";
  for (const fs::path& path : {old, fresh, strange}) std::ofstream(path) << "x";
  for (const fs::path& path : {old, strange}) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
  fs::remove(target);
  write(folder);
  CHECK(!fs::exists(old));
  CHECK(fs::exists(fresh) && fs::exists(strange) && fs::exists(target));
}

TEST(PackedWeights, GiveAGeneratorTheSameSeries) {
  const Folder folder;
  const random_model::TempFile model(random_model::bytes({}));
  const auto draw = [&](const std::string& cache) {
    const Generator generator(model.path(), Precision::int8, 1, {}, cache);
    const std::vector<float> condition = random_model::condition(9, generator.text_width());
    std::vector<float> series(2 * 128);
    SamplerConfig config;
    config.steps = 3;
    generator.sample(condition, 2, 128, config, {}, series);
    return series;
  };
  const std::vector<float> expected = draw("");
  CHECK_EQ(draw(folder.path.string()), expected);
  CHECK_EQ(folder.files().size(), 1u);
  CHECK_EQ(draw(folder.path.string()), expected);
}

TEST(PackedWeights, DoNotHideADamagedModel) {
  const Folder folder;
  const random_model::TempFile model(random_model::bytes({}));
  {
    const Generator first(model.path(), Precision::int8, 1, {}, folder.path.string());
  }
  std::fstream damaged(model.path(), std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(-40, std::ios::end).put('!');
  damaged.close();  // which changes the time of writing, and so the key
  CHECK_ERROR(Generator(model.path(), Precision::int8, 1, {}, folder.path.string()),
              Code::model_file, "The file was damaged or changed");
}

CHECK_MAIN()
