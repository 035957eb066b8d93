#include "core/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/cpu_limit.h"
#include "geng/error.h"

namespace geng {
namespace {

constexpr int kMostThreads = 256;

int affinity_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// Work on the table: pieces are claimed by counting `next` up.
struct Job {
  void (*piece)(void*, std::size_t) = nullptr;
  void* context = nullptr;
  std::size_t count = 0;
};

/// How often an idle thread looks again before it sleeps: some ten microseconds. The rounds of one
/// denoising step follow each other faster than a sleeping thread wakes up.
constexpr int kLooks = 1000;

void breathe() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // `yield` is over at once
#endif
}

/// Waits until `value` is no longer `old`.
void await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) noexcept {
  for (int look = 0; look < kLooks; ++look) {
    if (value.load(std::memory_order_acquire) != old) return;
    breathe();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

int default_threads() {
  std::ifstream file("/proc/self/cgroup");
  const std::string groups((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  const double quota = std::ceil(cgroup_cpu_quota(groups, "/sys/fs/cgroup"));
  const int threads = std::clamp(affinity_threads(), 1, kMostThreads);
  return quota < threads ? std::max(1, static_cast<int>(quota)) : threads;
}

/// The caller opens a round, works, closes it, and waits for the helpers that had joined. One that
/// comes late finds it closed and costs nobody anything.
///
/// A helper counts itself in and then looks whether the round is open; the caller closes it and
/// then looks whether anyone is in. Both orders are sequentially consistent, so one of them sees
/// the other, and no helper reads a job that its caller has left.
struct ThreadPool::State {
  Job job;                              // written while nobody is in
  std::atomic<std::uint32_t> round{0};  // odd while a job is open
  std::atomic<std::uint32_t> helping{0};
  std::atomic<std::size_t> next{0};
  std::atomic<bool> closing{false};
  std::atomic_flag busy;
  std::mutex mutex;  // guards first_error
  std::exception_ptr first_error;
  std::vector<std::thread> helpers;

  ~State() {
    closing = true;
    round += 2;  // still closed, but another number, so that nobody sleeps through it
    round.notify_all();
    for (std::thread& helper : helpers) helper.join();
  }

  /// Claims pieces until none is left.
  void work(const Job& on) {
    for (std::size_t i = next.fetch_add(1); i < on.count; i = next.fetch_add(1)) {
      try {
        on.piece(on.context, i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first_error) first_error = std::current_exception();
      }
    }
  }

  void help() {
    for (std::uint32_t seen = 0;;) {
      await_change(round, seen);
      ++helping;
      seen = round;
      const bool over = closing;  // asked after `seen`: it may be the number that closing gave
      if (!over && seen % 2 == 1) work(job);
      if (--helping == 0) helping.notify_one();
      if (over) return;
    }
  }

  void run(const Job& wanted) {
    job = wanted;
    next = 0;
    ++round;
    round.notify_all();
    work(wanted);
    ++round;
    for (std::uint32_t in = helping; in != 0; in = helping) await_change(helping, in);
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 0 || threads > kMostThreads) {
    throw Error(Code::invalid_argument, "threads is " + std::to_string(threads) +
                                            "; it must be 0 to " + std::to_string(kMostThreads));
  }
  const int wanted = threads == 0 ? default_threads() : threads;
  state_->helpers.reserve(static_cast<std::size_t>(wanted - 1));
  try {
    for (int i = 1; i < wanted; ++i) {
      state_->helpers.emplace_back([state = state_.get()] { state->help(); });
    }
  } catch (const std::system_error& error) {
    throw Error(Code::out_of_memory, "a thread could not be started (" + std::string(error.what()) +
                                         "); ask for fewer than " + std::to_string(wanted));
  }
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::size() const noexcept { return static_cast<int>(state_->helpers.size()) + 1; }

void ThreadPool::run(std::size_t count, void (*piece)(void*, std::size_t), void* context) {
  State& state = *state_;
  if (count < 2 || state.helpers.empty() || state.busy.test_and_set(std::memory_order_acquire)) {
    std::exception_ptr first_error;
    for (std::size_t i = 0; i < count; ++i) {
      try {
        piece(context, i);
      } catch (...) {
        if (!first_error) first_error = std::current_exception();
      }
    }
    if (first_error) std::rethrow_exception(first_error);
    return;
  }
  state.run({piece, context, count});
  const std::exception_ptr error = std::exchange(state.first_error, nullptr);
  state.busy.clear(std::memory_order_release);
  if (error) std::rethrow_exception(error);
}

}  // namespace geng
