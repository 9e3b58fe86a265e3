// Mean and variance of the columns of a matrix, and the sums that their gradient needs, each in one pass through memory.
#pragma once

#include <cstdint>
#include <string>

#include "driver.h"
#include "kernels.h"

namespace hornbill {

// A matrix whose columns are channels.
struct Matrix {
  const float* data;
  int64_t rows, channels;
};

// mean[k] and variance[k] over all rows. Blocks of rows that stay in the cache are centred on their own means and then
// joined in double precision (Chan, Golub and LeVeque, 1979).
std::string moments(const Kernels&, const Threads&, const Matrix& x, float* mean, float* variance);

// sum[k] = sum of a, product[k] = sum of a * (x - mean[k]).
std::string moments_grad(const Kernels&, const Threads&, const Matrix& a, const Matrix& x, const float* mean, float* sum,
                         float* product);

}  // namespace hornbill
