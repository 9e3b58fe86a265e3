// One step of Adam over all weights of a model in one pass through memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver.h"
#include "kernels.h"

namespace hornbill {

// One weight with its gradient and moments, and where their new values go: each may be where the old one is.
struct AdamArrays {
  const float *p, *g, *m, *v;
  float *new_p, *new_m, *new_v;
  int64_t size;
};

// m += (g - m) * keep_1, v += (g^2 - v) * keep_2, p -= m * rate / (sqrt(v) + epsilon).
void adam(const Kernels&, Threads, const std::vector<AdamArrays>&, float rate, float keep_1, float keep_2, float epsilon);

}  // namespace hornbill
