// Tasks shared among threads that somebody else owns, and memory that each thread keeps for its packing.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "driver.h"

namespace hornbill {

// Runs `work(0)` to `work(total - 1)`, each once, and returns when all are done; throws std::bad_alloc if one did.
//
// The caller takes part and waits only for tasks that some thread has begun, so nothing hangs if the pool's threads are
// all busy or are waiting themselves. Helpers that come late find nothing to do and touch nothing but `Shared`.
template <typename Work>
void parallel(const Threads& threads, int64_t total, const Work& work) {
  struct Shared {
    std::atomic<int64_t> next{0}, done{0};
    std::atomic<bool> failed{false};
  };
  if (total <= 1 || threads.count <= 1 || !threads.schedule) {
    for (int64_t i = 0; i < total; ++i) work(i);
    return;
  }
  auto shared = std::make_shared<Shared>();
  const Work* mine = &work;
  auto run = [shared, mine, total] {
    for (int64_t i; (i = shared->next.fetch_add(1)) < total;) {
      try {
        (*mine)(i);
      } catch (const std::bad_alloc&) {
        shared->failed = true;
      }
      shared->done.fetch_add(1, std::memory_order_release);
    }
  };
  const int64_t helpers = threads.count - 1 < total - 1 ? threads.count - 1 : total - 1;
  for (int64_t i = 0; i < helpers; ++i) threads.schedule(run);
  run();
  for (int spins = 0; shared->done.load(std::memory_order_acquire) < total; ++spins)
    if (spins > 64) std::this_thread::yield();
  if (shared->failed) throw std::bad_alloc();
}

// Memory that grows and is kept, aligned to a page.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  // Room for `count` floats, with unknown contents; throws std::bad_alloc.
  float* room(int64_t count) {
    if (count > size_) {
      std::free(data_);
      data_ = nullptr;
      size_ = 0;
      const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 4095) / 4096 * 4096;
      data_ = static_cast<float*>(std::aligned_alloc(4096, bytes));
      if (!data_) throw std::bad_alloc();
      size_ = static_cast<int64_t>(bytes / sizeof(float));
    }
    return data_;
  }

 private:
  float* data_ = nullptr;
  int64_t size_ = 0;
};

// Memory for a whole call, from what earlier calls have given back: as many buffers are kept as calls ran at once, however
// many threads made them.
class CallMemory {
 public:
  CallMemory() {
    const std::lock_guard<std::mutex> held(lock());
    if (idle().empty()) {
      buffer_ = std::make_unique<Buffer>();
    } else {
      buffer_ = std::move(idle().back());
      idle().pop_back();
    }
  }
  CallMemory(const CallMemory&) = delete;
  CallMemory& operator=(const CallMemory&) = delete;
  ~CallMemory() {
    const std::lock_guard<std::mutex> held(lock());
    idle().push_back(std::move(buffer_));
  }
  float* room(int64_t count) { return buffer_->room(count); }

 private:
  // Never destroyed: a thread may still be in a call when the process ends.
  static std::mutex& lock() {
    static std::mutex* const mine = new std::mutex;
    return *mine;
  }
  static std::vector<std::unique_ptr<Buffer>>& idle() {
    static auto* const mine = new std::vector<std::unique_ptr<Buffer>>;
    return *mine;
  }
  std::unique_ptr<Buffer> buffer_;
};

// What a thread needs while it works on one task.
struct Memory {
  Buffer input, output, weights;
};

inline Memory& memory() {
  thread_local Memory mine;
  return mine;
}

}  // namespace hornbill
