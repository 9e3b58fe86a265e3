// What every call checks before it touches memory.
#pragma once

#include <string>

#include "driver.h"

namespace hornbill {

// Returns what is wrong with arrays, window and sizes, in words; empty if nothing.
std::string check(const Window& v, const Array& in, const Array& kernel, const Array& out);

}  // namespace hornbill
