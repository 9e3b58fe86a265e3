// Products in bfloat16 by AMX's tiles: packing, and cutting into tasks. For kernels that have tiles only.
#pragma once

#include <vector>

#include "product.h"

namespace hornbill {

using HalfProduct = ProductOf<Half>;

void run_half_products(const Kernels& k, Threads threads, const std::vector<HalfProduct>& products);

// The sums of the gradient by the kernel, written to `p.w`.
void run_half_weights(const Kernels& k, Threads threads, const HalfProduct& p);

}  // namespace hornbill
