#include "product.h"

#include <algorithm>
#include <cstring>

namespace hornbill {
namespace {

constexpr i64 kChannelBlock = 64;  // input channels that are summed before a tile is stored
constexpr i64 kNarrow = 8;         // narrower rows of output are gathered into long ones

bool sticks_out(i64 size, i64 out, i64 cells, i64 stride, i64 dilation, i64 before) {
  return before != 0 || (out - 1) * stride + (cells - 1) * dilation + 1 > size;
}

// Copies `count` floats per pixel of one input row, from column `x` on (which may lie outside), `step` columns apart.
void copy_row(const Product& p, const float* row, i64 x, i64 pixels, i64 first, i64 channels, float* to) {
  const i64 zeros = std::clamp<i64>(-x, 0, pixels);
  const i64 inside = std::clamp<i64>(p.width - x, zeros, pixels) - zeros;
  std::memset(to, 0, static_cast<size_t>(zeros * channels) * sizeof(float));
  to += zeros * channels;
  const float* from = row + (x + zeros) * p.in_px + first;
  if (inside > 0 && channels == p.in_px) {
    std::memcpy(to, from, static_cast<size_t>(inside * channels) * sizeof(float));
  } else {
    for (i64 i = 0; i < inside; ++i)
      std::memcpy(to + i * channels, from + i * p.in_px, static_cast<size_t>(channels) * sizeof(float));
  }
  std::memset(to + inside * channels, 0, static_cast<size_t>((pixels - zeros - inside) * channels) * sizeof(float));
}

// Copies all cells under one window.
float* gather(const Product& p, i64 pixel, i64 first, i64 channels, float* to) {
  const i64 n = pixel / (p.out_h * p.out_w), y = pixel / p.out_w % p.out_h, x = pixel % p.out_w;
  for (i64 i = 0; i < p.kh; ++i) {
    const i64 row = y * p.sh + i * p.dh - p.top;
    const bool inside = row >= 0 && row < p.height;
    const float* from = p.in + n * p.in_img + (inside ? row : 0) * p.in_row;
    if (!inside) {
      std::memset(to, 0, static_cast<size_t>(p.kw * channels) * sizeof(float));
      to += p.kw * channels;
    } else if (p.dw == 1) {
      copy_row(p, from, x * p.sw - p.left, p.kw, first, channels, to);
      to += p.kw * channels;
    } else {
      for (i64 j = 0; j < p.kw; ++j, to += channels)
        copy_row(p, from, x * p.sw + j * p.dw - p.left, 1, first, channels, to);
    }
  }
  return to;
}

}  // namespace

std::vector<Column> columns_of(i64 channels, int vector_width) {
  std::vector<Column> columns;
  for (i64 left = ceil_div(channels, vector_width), at = 0; left > 0;) {
    const int vectors = left == 3 ? 3 : left >= 2 ? 2 : 1;
    columns.push_back({at, vectors, static_cast<int>(std::min<i64>(channels - at, vectors * vector_width))});
    at += vectors * vector_width;
    left -= vectors;
  }
  return columns;
}

Layout::Layout(const Product& p, int vector_width) {
  channel_blocks = std::max<i64>(1, ceil_div(p.ci, kChannelBlock));
  channel_block = ceil_div(p.ci, channel_blocks);
  const bool padded = sticks_out(p.height, p.out_h, p.kh, p.sh, p.dh, p.top) ||
                      sticks_out(p.width, p.out_w, p.kw, p.sw, p.dw, p.left);
  const bool out_dense = p.out_row == p.out_w * p.out_px && p.out_img == p.out_h * p.out_row;
  const bool in_dense = p.in_row == p.width * p.in_px && p.in_img == p.height * p.in_row;
  if (p.cells() == 1 && p.sh == 1 && p.sw == 1 && !padded && in_dense && out_dense && p.width == p.out_w &&
      p.height == p.out_h)
    mode = Mode::kFlat;
  else if (p.cells() == 0 || (!padded && p.kw == 1))
    mode = Mode::kDirect;
  else if (out_dense && p.out_w < kNarrow)
    mode = Mode::kGather;
  else
    mode = Mode::kRows;
  const bool pixels = mode == Mode::kFlat || mode == Mode::kGather;
  units = pixels ? p.images * p.out_h * p.out_w : p.images * p.out_h;
  unit_pixels = pixels ? 1 : p.out_w;
  unit_floats = mode == Mode::kGather ? p.cells() * channel_block
                : mode == Mode::kRows ? packed_width(p) * p.sh * channel_block
                                      : unit_pixels * channel_block;
  columns = columns_of(p.co, vector_width);
}

i64 Layout::channels(const Product& p, i64 block) const {
  return std::min(channel_block, p.ci - block * channel_block);
}

i64 Layout::packed_width(const Product& p) const { return (p.out_w - 1) * p.sw + (p.kw - 1) * p.dw + 1; }

i64 Layout::packed_rows(const Product& p, i64 rows) const { return (rows - 1) * p.sh + (p.kh - 1) * p.dh + 1; }

i64 Layout::room(const Product& p, i64 count) const {
  if (mode == Mode::kGather) return count * unit_floats;
  if (mode != Mode::kRows) return 0;
  // A chunk that touches several images needs the rows around the window for each of them.
  const i64 parts = std::min(count, 2 + count / p.out_h);
  return (count * p.sh + parts * packed_rows(p, 1)) * packed_width(p) * channel_block;
}

void Layout::open(const Product& p, i64 block, i64 begin, i64 end, float* to, std::vector<Segment>& segments) {
  const i64 first = first_channel(block), many = channels(p, block);
  segments.clear();
  n1 = n2 = 1, s1 = s2 = 0;
  if (mode == Mode::kFlat) {
    px = p.in_px, len = many;
    segments.push_back({p.in + begin * px + first, 0, 1, end - begin, p.out + begin * p.out_px, 0});
    return;
  }
  if (mode == Mode::kGather) {
    px = len = p.cells() * many;
    segments.push_back({to, 0, 1, end - begin, p.out + begin * p.out_px, 0});
    for (i64 u = begin; u < end; ++u) to = gather(p, u, first, many, to);
    return;
  }
  const bool direct = mode == Mode::kDirect;
  const i64 cell = direct ? p.in_px : many, row = direct ? p.in_row : packed_width(p) * many;
  px = p.sw * cell, s1 = p.dh * row, n1 = p.kh;
  if (p.dw == 1 && cell == many) {
    len = p.kw * many;
  } else {
    n2 = p.kw, s2 = p.dw * cell, len = many;
  }
  if (p.cells() == 0) n1 = 0, n2 = 0;
  for (i64 u = begin; u < end;) {
    const i64 n = u / p.out_h, y = u % p.out_h, rows = std::min(p.out_h - y, end - u);
    float* out = p.out + n * p.out_img + y * p.out_row;
    const i64 before = (u - begin) * p.out_w;
    if (direct) {
      const float* a = p.cells() == 0 ? p.in : p.in + n * p.in_img + y * p.sh * row + first;
      segments.push_back({a, p.cells() == 0 ? 0 : p.sh * row, rows, p.out_w, out, before});
    } else {
      segments.push_back({to, p.sh * row, rows, p.out_w, out, before});
      for (i64 r = 0; r < packed_rows(p, rows); ++r, to += row) {
        const i64 from = y * p.sh - p.top + r;
        if (from < 0 || from >= p.height)
          std::memset(to, 0, static_cast<size_t>(row) * sizeof(float));
        else
          copy_row(p, p.in + n * p.in_img + from * p.in_row, -p.left, packed_width(p), first, many, to);
      }
    }
    u += rows;
  }
}

void pack_weights(const Kernels& k, const Product& p, const Column& column, i64 first, i64 channels, float* to) {
  const i64 wide = column.vectors * k.width;
  for (i64 i = 0; i < p.kh; ++i) {
    for (i64 j = 0; j < p.kw; ++j, to += channels * wide) {
      const float* from = p.w + i * p.w_kh + j * p.w_kw + first * p.w_ci + column.first * p.w_co;
      if (p.w_co != 1) {
        k.transpose(from, p.w_co, to, wide, column.count, channels);
      } else {
        for (i64 c = 0; c < channels; ++c)
          std::memcpy(to + c * wide, from + c * p.w_ci, static_cast<size_t>(column.count) * sizeof(float));
      }
      if (column.count < wide) {
        for (i64 c = 0; c < channels; ++c)
          std::memset(to + c * wide + column.count, 0, static_cast<size_t>(wide - column.count) * sizeof(float));
      }
    }
  }
}

void pack_outputs(const Kernels& k, const Product& p, const Column& column, const std::vector<Segment>& segments,
                  float* to) {
  const i64 wide = column.vectors * k.width;
  for (const Segment& segment : segments) {
    for (i64 y = 0; y < segment.rows; ++y) {
      const float* from = segment.out + y * p.out_row + column.first;
      for (i64 x = 0; x < segment.width; ++x, to += wide, from += p.out_px) {
        std::memcpy(to, from, static_cast<size_t>(column.count) * sizeof(float));
        for (i64 c = column.count; c < wide; ++c) to[c] = 0;
      }
    }
  }
}

// ---- from arrays to products

template <typename T>
ProductOf<T> product(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel, const ArrayOf<T>& out, i64 group) {
  ProductOf<T> p = {};
  p.images = in.size[0], p.height = in.size[1], p.width = in.size[2], p.ci = kernel.size[2];
  p.out_h = out.size[1], p.out_w = out.size[2], p.co = kernel.size[3] / v.groups;
  p.kh = kernel.size[0], p.kw = kernel.size[1];
  p.sh = v.stride_h, p.sw = v.stride_w, p.dh = v.dilation_h, p.dw = v.dilation_w, p.top = v.top, p.left = v.left;
  p.in = in.data + group * p.ci, p.in_px = in.size[3], p.in_row = p.width * p.in_px, p.in_img = p.height * p.in_row;
  p.out = out.data + group * p.co, p.out_px = out.size[3], p.out_row = p.out_w * p.out_px;
  p.out_img = p.out_h * p.out_row;
  p.w = kernel.data + group * p.co;
  p.w_co = 1, p.w_ci = kernel.size[3], p.w_kw = p.ci * p.w_ci, p.w_kh = p.kw * p.w_kw;
  return p;
}

namespace {

// One axis of one phase of the gradient by the input: the input cells at `phase`, `phase + stride`, ... get sums over the
// kernel cells `cell`, `cell + stride`, ..., as a convolution of the output's gradient without strides.
struct Phase {
  i64 count, cells, cell, before;
  Phase(i64 phase, i64 size, i64 kernel, i64 stride, i64 dilation, i64 padding) {
    count = phase < size ? (size - phase - 1) / stride + 1 : 0;
    if (stride == 1) {
      cell = 0, cells = kernel, before = (kernel - 1) * dilation - padding;
    } else {  // without dilation
      cell = (phase + padding) % stride;
      cells = cell < kernel ? (kernel - cell - 1) / stride + 1 : 0;
      before = cells - 1 - (phase + padding - cell) / stride;
    }
  }
};

}  // namespace

template <typename T>
std::vector<ProductOf<T>> input_products(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel,
                                         const ArrayOf<T>& out) {
  std::vector<ProductOf<T>> products;
  for (i64 group = 0; group < v.groups; ++group) {
    const ProductOf<T> f = product(v, in, kernel, out, group);
    for (i64 ry = 0; ry < f.sh; ++ry) {
      for (i64 rx = 0; rx < f.sw; ++rx) {
        const Phase y(ry, f.height, f.kh, f.sh, f.dh, f.top), x(rx, f.width, f.kw, f.sw, f.dw, f.left);
        ProductOf<T> p = {};
        p.images = f.images, p.height = f.out_h, p.width = f.out_w, p.ci = f.co;
        p.out_h = y.count, p.out_w = x.count, p.co = f.ci;
        p.kh = y.cells, p.kw = x.cells, p.sh = p.sw = 1, p.dh = f.dh, p.dw = f.dw;
        if (p.kh == 0 || p.kw == 0) p.kh = p.kw = 0;
        p.top = y.before, p.left = x.before;
        p.in = f.out, p.in_px = f.out_px, p.in_row = f.out_row, p.in_img = f.out_img;
        p.out = f.in + ry * f.in_row + rx * f.in_px;
        p.out_px = f.sw * f.in_px, p.out_row = f.sh * f.in_row, p.out_img = f.in_img;
        p.w = f.w;
        if (p.cells() > 0)
          p.w += (y.cell + (y.cells - 1) * f.sh) * f.w_kh + (x.cell + (x.cells - 1) * f.sw) * f.w_kw;
        p.w_kh = -f.sh * f.w_kh, p.w_kw = -f.sw * f.w_kw, p.w_ci = f.w_co, p.w_co = f.w_ci;
        products.push_back(p);
      }
    }
  }
  return products;
}

#define HB_PRODUCTS(T)                                                                                      \
  template ProductOf<T> product(const Window&, const ArrayOf<T>&, const ArrayOf<T>&, const ArrayOf<T>&, i64); \
  template std::vector<ProductOf<T>> input_products(const Window&, const ArrayOf<T>&, const ArrayOf<T>&,     \
                                                    const ArrayOf<T>&);
HB_PRODUCTS(float)
HB_PRODUCTS(Half)

}  // namespace hornbill
