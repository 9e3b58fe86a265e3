// Depthwise convolution, each channel with weights of its own, and its gradients.
#pragma once

#include <string>

#include "driver.h"
#include "kernels.h"

namespace hornbill {

// out (n, y, x, c) = sum in (n, y', x', c) * kernel (i, j, c, 0); the window has no groups.
std::string depthwise(const Kernels&, Threads, const Window&, Array in, Array kernel, Array out);

// The gradient by `in`, from that of `out`.
std::string depthwise_input_grad(const Kernels&, Threads, const Window&, Array out, Array kernel, Array in);

// The gradient by `kernel`.
std::string depthwise_weight_grad(const Kernels&, Threads, const Window&, Array in, Array out, Array kernel);

}  // namespace hornbill
