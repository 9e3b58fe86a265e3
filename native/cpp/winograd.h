// Convolutions of 3 x 3 kernels without strides by Winograd's F(4 x 4, 3 x 3): a quarter of the multiplications.
//
// Tiles of 4 x 4 outputs are computed from patches of 6 x 6 inputs. Patch, kernel and tile are transformed by small fixed
// matrices (kernels.cpp); in between stand 36 matrix products (tiles x channels) by (channels x filters). Rounding errors
// are several times those of the direct sum: tests/check.cpp bounds them.
#pragma once

#include "driver.h"
#include "product.h"

namespace hornbill {

// Whether a product has this form and is large enough to gain from it.
bool winograd_serves(const Product& p);

void run_winograd(const Kernels& k, const Threads& threads, const Product& p);

// The gradient by the kernel, from that of the output (`p.out`), into `p.w`: F(3 x 3, 4 x 4).
void run_winograd_weights(const Kernels& k, const Threads& threads, const Product& p);

}  // namespace hornbill
