#include "checks.h"

#include <cstdint>

namespace hornbill {
namespace {

using i64 = int64_t;

template <typename T>
std::string shape(const ArrayOf<T>& a) {
  std::string text = "(";
  for (int i = 0; i < 4; ++i) text += (i ? ", " : "") + std::to_string(a.size[i]);
  return text + ")";
}

}  // namespace

template <typename T>
std::string check(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel, const ArrayOf<T>& out) {
  constexpr i64 kMost = i64{1} << 40;
  for (const ArrayOf<T>* a : {&in, &kernel, &out}) {
    double count = 1;
    for (i64 size : a->size) {
      if (size < 0 || size > kMost) return "a size is negative or too large: " + shape(*a);
      count *= static_cast<double>(size);
    }
    if (count > static_cast<double>(kMost)) return "too many numbers: " + shape(*a);
    if (count > 0 && !a->data) return "an array has no memory: " + shape(*a);
    if (reinterpret_cast<uintptr_t>(a->data) % alignof(T) != 0) return "an array is misaligned: " + shape(*a);
  }
  for (i64 value : {v.stride_h, v.stride_w, v.dilation_h, v.dilation_w, v.groups})
    if (value < 1 || value > (i64{1} << 30)) return "strides, dilations and groups must be at least 1";
  for (i64 value : {v.top, v.left})
    if (value < 0 || value > (i64{1} << 30)) return "padding must not be negative";
  if (kernel.size[0] < 1 || kernel.size[1] < 1) return "the kernel is empty: " + shape(kernel);
  if (kernel.size[0] > (1 << 20) || kernel.size[1] > (1 << 20)) return "the kernel is too large: " + shape(kernel);
  if (in.size[0] != out.size[0]) return "batches differ: " + shape(in) + " and " + shape(out);
  if (in.size[3] != kernel.size[2] * v.groups) return "input channels do not fit: " + shape(in) + ", " + shape(kernel);
  if (out.size[3] != kernel.size[3]) return "filters do not fit: " + shape(out) + ", " + shape(kernel);
  if (kernel.size[3] % v.groups) return "filters cannot be divided among groups: " + shape(kernel);
  const i64 strides[] = {v.stride_h, v.stride_w}, dilations[] = {v.dilation_h, v.dilation_w}, before[] = {v.top, v.left};
  for (int axis = 0; axis < 2; ++axis) {
    const i64 span = (kernel.size[axis] - 1) * dilations[axis] + 1;
    if (before[axis] >= span) return "padding must be smaller than the window";
    // The last window may stick out, but must begin inside.
    if (out.size[1 + axis] > 0 && (out.size[1 + axis] - 1) * strides[axis] - before[axis] >= in.size[1 + axis])
      return "a window lies outside: " + shape(in) + " to " + shape(out);
  }
  return "";
}

template <typename T>
std::string check_input_grad(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel, const ArrayOf<T>& out) {
  const std::string wrong = check(v, in, kernel, out);
  if (!wrong.empty()) return wrong;
  if ((v.stride_h > 1 && v.dilation_h > 1) || (v.stride_w > 1 && v.dilation_w > 1))
    return "strides with dilation have no gradient here";
  if (v.stride_h * v.stride_w > 4096) return "the strides are too large";
  return "";
}

template std::string check(const Window&, const Array&, const Array&, const Array&);
template std::string check(const Window&, const HalfArray&, const HalfArray&, const HalfArray&);
template std::string check_input_grad(const Window&, const Array&, const Array&, const Array&);
template std::string check_input_grad(const Window&, const HalfArray&, const HalfArray&, const HalfArray&);

}  // namespace hornbill
