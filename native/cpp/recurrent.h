// An LSTM over a whole sequence, and its gradient.
#pragma once

#include <cstdint>
#include <string>

#include "driver.h"
#include "kernels.h"

namespace hornbill {

// Arrays of a sequence with time first: (steps, rows, ...).
struct LstmArrays {
  int64_t steps, rows, units;
  const float* first_h;    // (rows, units)
  const float* first_c;    // (rows, units)
  const float* recurrent;  // (units, 4 * units): gates i, f, g, o
  float* gates;            // (steps, rows, 4 * units): the input's share and the bias before, the gates after
  float* h;                // (steps, rows, units)
  float* c;                // (steps, rows, units)
};

// gates = sigmoid or, for g, tanh of (gates + h_before @ recurrent); c = f * c_before + i * g; h = o * tanh(c).
void lstm_sequence(const Kernels&, Threads, const LstmArrays&);

// From the gradient by all h (steps, rows, units) and by the last c (rows, units), those by the gates before their
// activation (steps, rows, 4 * units) and by the first h and c (rows, units).
void lstm_sequence_grad(const Kernels&, Threads, const LstmArrays&, const float* by_outputs, const float* by_last_c,
                        float* by_gates, float* by_first_h, float* by_first_c);

}  // namespace hornbill
