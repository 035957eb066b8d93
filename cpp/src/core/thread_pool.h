#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace geng {

/// Threads this process may really use: CPU affinity, cut by the cgroup (v1 or v2) CPU quota. >= 1.
int default_threads();

/// Runs independent pieces of work on a fixed set of threads, the caller being one of them.
///
/// Results do not depend on the number of threads so long as piece i writes only its own output.
/// Idle threads sleep after a few microseconds of looking for the next piece. A pool of size 1
/// starts no thread. Allocates only in the constructor.
///
/// Threads: safe to share. A call that finds the pool at work (another caller's, or from inside a
/// piece) does its pieces alone on its own thread instead of waiting.
class ThreadPool {
 public:
  /// @param threads  Including the caller; 0 = default_threads().
  /// @throws Error{invalid_argument}  threads is negative or above 256.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int size() const noexcept;

  /// Calls piece(i) once for every i in [0, count), in no particular order, and waits for all.
  /// The first exception of a piece is thrown again here, after the others have finished.
  template <typename Piece>
  void parallel_for(std::size_t count, Piece&& piece) {
    using Plain = std::remove_reference_t<Piece>;
    run(
        count, [](void* context, std::size_t i) { (*static_cast<Plain*>(context))(i); },
        const_cast<std::remove_const_t<Plain>*>(std::addressof(piece)));
  }

 private:
  struct State;
  void run(std::size_t count, void (*piece)(void*, std::size_t), void* context);

  std::unique_ptr<State> state_;
};

}  // namespace geng
