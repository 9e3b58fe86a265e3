// An LSTM or a GRU over a whole sequence, and their gradients.
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

// The same of a GRU whose reset gate acts after the recurrent product.
struct GruArrays {
  int64_t steps, rows, units;
  const float* first_h;    // (rows, units)
  const float* recurrent;  // (units, 3 * units): gates z, r and the candidate g
  float* held;             // (steps, rows, 4 * units): z, r, the recurrent share of g, g
  float* h;                // (steps, rows, units)
};

// With x the input's share of z, r, g and their bias (steps, rows, 3 * units), and y = h_before @ recurrent + `bias`
// (3 * units): z, r = sigmoid(x + y); g = tanh(x + r * y); h = z * h_before + (1 - z) * g.
void gru_sequence(const Kernels&, Threads, const GruArrays&, const float* x, const float* bias);

// From the gradient by all h (steps, rows, units), those by x and by y (steps, rows, 3 * units) and by the first h.
void gru_sequence_grad(const Kernels&, Threads, const GruArrays&, const float* by_outputs, float* by_x, float* by_y,
                       float* by_first_h);

}  // namespace hornbill
