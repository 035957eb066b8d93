#include "core/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
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

}  // namespace

int default_threads() {
  std::ifstream file("/proc/self/cgroup");
  const std::string groups((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  const double quota = std::ceil(cgroup_cpu_quota(groups, "/sys/fs/cgroup"));
  const int threads = std::clamp(affinity_threads(), 1, kMostThreads);
  return quota < threads ? std::max(1, static_cast<int>(quota)) : threads;
}

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable opened;    // a job was opened, or the pool closes
  std::condition_variable finished;  // the last helper left the job
  Job job;
  std::uint64_t job_number = 0;
  bool open = false;  // helpers may still join the job
  bool closing = false;
  int helping = 0;  // helpers inside the job
  std::exception_ptr first_error;
  std::atomic<std::size_t> next{0};
  std::atomic_flag busy;
  std::vector<std::thread> helpers;

  ~State() {
    {
      const std::lock_guard lock(mutex);
      closing = true;
    }
    opened.notify_all();
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
    std::unique_lock lock(mutex);
    for (std::uint64_t seen = 0;;) {
      opened.wait(lock, [&] { return closing || (open && job_number != seen); });
      if (closing) return;
      seen = job_number;
      ++helping;
      lock.unlock();
      work(job);
      lock.lock();
      if (--helping == 0) finished.notify_one();
    }
  }

  /// The caller works too, and waits only for helpers that have joined: one that wakes up late
  /// finds the job closed and costs nobody anything.
  void run(const Job& wanted) {
    {
      const std::lock_guard lock(mutex);
      job = wanted;
      next = 0;
      ++job_number;
      open = true;
    }
    opened.notify_all();
    work(wanted);
    std::unique_lock lock(mutex);
    open = false;
    finished.wait(lock, [&] { return helping == 0; });
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
