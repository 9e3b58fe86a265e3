#include "recurrent.h"

#include <algorithm>
#include <cstring>

#include "matrix.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kLeastRows = 4;          // of a batch that a thread takes
constexpr double kSmallWork = 1e5;     // multiply-adds of a step that are not worth a second thread

// Rows of a batch do not depend on each other: each task takes some through all steps.
template <typename Work>
void over_rows(Threads threads, i64 rows, i64 weights, const Work& work) {
  if (static_cast<double>(weights * rows) < kSmallWork) threads.count = 1;
  const i64 tasks = std::max<i64>(1, std::min<i64>(threads.count, rows / kLeastRows));
  parallel(threads, tasks, [&](i64 i) { work(rows * i / tasks, rows * (i + 1) / tasks); });
}

}  // namespace

void lstm_sequence(const Kernels& k, Threads threads, const LstmArrays& s) {
  const i64 u = s.units, state = s.rows * u;
  CallMemory whole;
  const Packed r = pack_matrix(k, s.recurrent, u, 4 * u, 4 * u, 1, whole.room(packed_floats(k, u, 4 * u)));
  over_rows(threads, s.rows, 4 * u * u, [&](i64 begin, i64 end) {
    for (i64 step = 0; step < s.steps; ++step) {
      const float* h = step ? s.h + (step - 1) * state : s.first_h;
      const float* c = step ? s.c + (step - 1) * state : s.first_c;
      float* gates = s.gates + 4 * step * state;
      multiply(k, h + begin * u, u, end - begin, r, gates + 4 * begin * u, 4 * u, true);
      for (i64 row = begin; row < end; ++row)
        k.lstm({gates + 4 * row * u, c + row * u, s.c + step * state + row * u, s.h + step * state + row * u, u});
    }
  });
}

void lstm_sequence_grad(const Kernels& k, Threads threads, const LstmArrays& s, const float* by_outputs,
                        const float* by_last_c, float* by_gates, float* by_first_h, float* by_first_c) {
  const i64 u = s.units, state = s.rows * u;
  CallMemory whole;
  const Packed r = pack_matrix(k, s.recurrent, 4 * u, u, 1, 4 * u, whole.room(packed_floats(k, 4 * u, u)));
  over_rows(threads, s.rows, 4 * u * u, [&](i64 begin, i64 end) {
    const size_t bytes = static_cast<size_t>((end - begin) * u) * sizeof(float);
    std::memset(by_first_h + begin * u, 0, bytes);
    std::memcpy(by_first_c + begin * u, by_last_c + begin * u, bytes);
    for (i64 step = s.steps - 1; step >= 0; --step) {
      const float* c = step ? s.c + (step - 1) * state : s.first_c;
      float* d = by_gates + 4 * step * state;
      for (i64 row = begin; row < end; ++row)
        k.lstm_grad({s.gates + 4 * (step * state + row * u), c + row * u, s.c + step * state + row * u,
                     by_outputs + step * state + row * u, by_first_h + row * u, by_first_c + row * u, d + 4 * row * u, u});
      multiply(k, d + 4 * begin * u, 4 * u, end - begin, r, by_first_h + begin * u, u, false);
    }
  });
}

void gru_sequence(const Kernels& k, Threads threads, const GruArrays& s, const float* x, const float* bias) {
  const i64 u = s.units, state = s.rows * u;
  CallMemory whole;
  const Packed r = pack_matrix(k, s.recurrent, u, 3 * u, 3 * u, 1, whole.room(packed_floats(k, u, 3 * u)));
  over_rows(threads, s.rows, 3 * u * u, [&](i64 begin, i64 end) {
    for (i64 step = 0; step < s.steps; ++step) {
      const float* h = step ? s.h + (step - 1) * state : s.first_h;
      const i64 first = step * state + begin * u;
      multiply(k, h + begin * u, u, end - begin, r, s.held + 4 * first, 4 * u, false);
      for (i64 row = begin, at = first; row < end; ++row, at += u)
        k.gru({x + 3 * at, bias, h + row * u, s.held + 4 * at, s.h + at, u});
    }
  });
}

void gru_sequence_grad(const Kernels& k, Threads threads, const GruArrays& s, const float* by_outputs, float* by_x,
                       float* by_y, float* by_first_h) {
  const i64 u = s.units, state = s.rows * u;
  CallMemory whole;
  const Packed r = pack_matrix(k, s.recurrent, 3 * u, u, 1, 3 * u, whole.room(packed_floats(k, 3 * u, u)));
  over_rows(threads, s.rows, 3 * u * u, [&](i64 begin, i64 end) {
    std::memset(by_first_h + begin * u, 0, static_cast<size_t>((end - begin) * u) * sizeof(float));
    for (i64 step = s.steps - 1; step >= 0; --step) {
      const float* h = step ? s.h + (step - 1) * state : s.first_h;
      const i64 first = step * state + begin * u;
      float* by_h = by_first_h + begin * u;
      for (i64 row = begin, at = first; row < end; ++row, at += u, by_h += u)
        k.gru_grad({s.held + 4 * at, h + row * u, by_outputs + at, by_h, by_x + 3 * at, by_y + 3 * at, u});
      multiply(k, by_y + 3 * first, 3 * u, end - begin, r, by_first_h + begin * u, u, true);
    }
  });
}

}  // namespace hornbill
