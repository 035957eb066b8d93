#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "check.h"
#include "core/arena.h"
#include "core/cpu_limit.h"
#include "core/sha256.h"
#include "geng/error.h"

using geng::Arena;
using geng::Code;

static std::string sha256_of(const std::string& text) {
  return geng::sha256_hex(std::as_bytes(std::span(text)));
}

// FIPS 180-4 examples, and lengths around the padding's block border checked with sha256sum.
TEST(Sha256, GivesThePublishedAnswers) {
  CHECK_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK_EQ(sha256_of(std::string(1000000, 'a')),
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
TEST(Sha256, PadsRightAroundTheBlockBorder) {
  CHECK_EQ(sha256_of(std::string(55, 'a')),
           "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK_EQ(sha256_of(std::string(56, 'a')),
           "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK_EQ(sha256_of(std::string(63, 'a')),
           "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
  CHECK_EQ(sha256_of(std::string(64, 'a')),
           "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

TEST(Arena, GivesAlignedZeroedPieces) {
  Arena arena(1000);
  for (int i = 0; i < 4; ++i) {
    const auto piece = arena.take<float>(3);
    CHECK_EQ(reinterpret_cast<std::uintptr_t>(piece.data()) % geng::kAlignment, 0u);
    for (const float value : piece) CHECK_EQ(value, 0.0f);
  }
  CHECK_EQ(arena.used(), 4 * geng::arena_bytes<float>(3));
}
TEST(Arena, RefusesMoreThanItHas) {
  Arena arena(128);
  CHECK_EQ(arena.take<std::byte>(128).size(), 128u);
  CHECK_ERROR(arena.take<std::byte>(1), Code::out_of_memory, "has 0 of 128 bytes left");
}
TEST(Arena, RefusesACountThatOverflows) {
  Arena arena(128);
  CHECK_ERROR(arena.take<double>(std::numeric_limits<std::size_t>::max() / 8 + 1),
              Code::out_of_memory, "were asked for");
  CHECK_EQ(arena.used(), 0u);
}
TEST(Arena, TakesBackWhatAScopeTook) {
  Arena arena(256);
  static_cast<void>(arena.take<float>(1));
  {
    const Arena::Scope scope(arena);
    static_cast<void>(arena.take<float>(40));
  }
  CHECK_EQ(arena.used(), geng::kAlignment);
}
TEST(AlignedBuffer, MovesItsBlock) {
  geng::AlignedBuffer first(10);
  std::byte* block = first.data();
  const geng::AlignedBuffer second = std::move(first);
  CHECK_EQ(second.data(), block);
  CHECK_EQ(second.size(), 10u);
}

namespace {

/// A folder that looks like /sys/fs/cgroup.
class FakeCgroup {
 public:
  FakeCgroup()
      : root_(std::filesystem::temp_directory_path() /
              ("geng-cgroup-" + std::to_string(getpid()))) {}
  ~FakeCgroup() { std::filesystem::remove_all(root_); }
  FakeCgroup(const FakeCgroup&) = delete;
  FakeCgroup& operator=(const FakeCgroup&) = delete;

  FakeCgroup& with(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
    return *this;
  }
  [[nodiscard]] double quota(const std::string& groups) const {
    return geng::cgroup_cpu_quota(groups, root_.string());
  }

 private:
  std::filesystem::path root_;
};

}  // namespace

TEST(CgroupQuota, TakesTheSmallestOnTheWayUpInVersion2) {
  FakeCgroup tree;
  tree.with("cpu.max", "max 100000\n").with("pod/cpu.max", "150000 100000\n");
  tree.with("pod/app/cpu.max", "max 100000\n");
  CHECK_NEAR(tree.quota("0::/pod/app\n"), 1.5, 1e-12);
}
TEST(CgroupQuota, AsksTheRootWhenAContainerHidesItsOwnPath) {
  FakeCgroup tree;
  tree.with("cpu.max", "200000 100000\n");
  CHECK_NEAR(tree.quota("0::/host/path/not/seen\n"), 2.0, 1e-12);
}
TEST(CgroupQuota, ReadsTheCpuControllerOfVersion1) {
  FakeCgroup tree;
  tree.with("cpu,cpuacct/pod/cpu.cfs_quota_us", "50000\n");
  tree.with("cpu,cpuacct/pod/cpu.cfs_period_us", "100000\n");
  CHECK_NEAR(tree.quota("5:memory:/pod\n4:cpu,cpuacct:/pod\n"), 0.5, 1e-12);
}
TEST(CgroupQuota, IsUnlimitedWhenNothingLimitsOrNothingCanBeRead) {
  FakeCgroup tree;
  tree.with("cpu/cpu.cfs_quota_us", "-1\n").with("cpu/cpu.cfs_period_us", "100000\n");
  CHECK(std::isinf(tree.quota("4:cpu:/\n")));
  CHECK(std::isinf(tree.quota("0::/\n")));
  CHECK(std::isinf(tree.quota("")));
  CHECK(std::isinf(tree.quota("nonsense\n::\n3:cpuset:/x\n")));
}

CHECK_MAIN()
