// What every call checks before it touches memory.
#pragma once

#include <string>

#include "driver.h"

namespace hornbill {

// Returns what is wrong with arrays, window and sizes, in words; empty if nothing.
template <typename T>
std::string check(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel, const ArrayOf<T>& out);

// The same, and whether the gradient by the input can be had.
template <typename T>
std::string check_input_grad(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel, const ArrayOf<T>& out);

}  // namespace hornbill
