#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "core/thread_pool.h"
#include "geng/error.h"

using geng::Code;
using geng::ThreadPool;

TEST(ThreadPool, DoesEveryPieceOnceOnAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK_EQ(pool.size(), threads);
    for (const std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<int> times(count, 0);
      pool.parallel_for(count, [&](std::size_t i) { ++times[i]; });
      for (const int n : times) CHECK_EQ(n, 1);
    }
  }
}

TEST(ThreadPool, StartsNoThreadWhenThereIsOne) {
  ThreadPool pool(1);
  const std::thread::id caller = std::this_thread::get_id();
  pool.parallel_for(64, [&](std::size_t) { CHECK(std::this_thread::get_id() == caller); });
}

TEST(ThreadPool, WaitsForAHelperThatIsSlowerThanTheCaller) {
  ThreadPool pool(4);
  const std::thread::id caller = std::this_thread::get_id();
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> done{0};
    pool.parallel_for(16, [&](std::size_t) {
      const bool helper = std::this_thread::get_id() != caller;
      std::this_thread::sleep_for(std::chrono::milliseconds(helper ? 3 : 1));
      ++done;
    });
    CHECK_EQ(done.load(), 16);
  }
}

TEST(ThreadPool, ThrowsAPiecesErrorAfterTheOthersAreDone) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::atomic<int> done{0};
    bool thrown = false;
    try {
      pool.parallel_for(50, [&](std::size_t i) {
        if (i == 10) throw std::runtime_error("ten");
        ++done;
      });
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK_EQ(done.load(), 49);
    pool.parallel_for(5, [&](std::size_t) { ++done; });  // and it still works
    CHECK_EQ(done.load(), 54);
  }
}

TEST(ThreadPool, WorksFromInsideAPiece) {
  ThreadPool pool(3);
  std::atomic<int> done{0};
  pool.parallel_for(4, [&](std::size_t) { pool.parallel_for(5, [&](std::size_t) { ++done; }); });
  CHECK_EQ(done.load(), 20);
}

TEST(ThreadPool, ServesSeveralCallersAtOnce) {
  ThreadPool pool(2);
  std::atomic<int> done{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) pool.parallel_for(9, [&](std::size_t) { ++done; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(done.load(), 4 * 200 * 9);
}

TEST(ThreadPool, RefusesACountOutOfRange) {
  CHECK_ERROR(ThreadPool(-1), Code::invalid_argument, "threads is -1; it must be 0 to 256");
  CHECK_ERROR(ThreadPool(257), Code::invalid_argument, "threads is 257");
}

TEST(DefaultThreads, IsAtLeastOne) { CHECK(geng::default_threads() >= 1); }

CHECK_MAIN()
