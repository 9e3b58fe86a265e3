// Attention of one head after the other, without ever holding the scores of more than a few rows.
#pragma once

#include <string>

#include "driver.h"
#include "kernels.h"

namespace hornbill {

// Arrays (batch, positions, heads, features); `sums` is (batch, heads, query positions).
struct Attention {
  Array query, key, value, output;
  float* sums;  // log of the sum of exp(scale * score) over the keys
  float scale;
};

// output = softmax(scale * query . key) @ value
std::string attention(const Kernels&, Threads, const Attention&);

// From the gradient by the output those by query, key and value.
std::string attention_grad(const Kernels&, Threads, const Attention&, const float* by_output, float* by_query,
                           float* by_key, float* by_value);

}  // namespace hornbill
