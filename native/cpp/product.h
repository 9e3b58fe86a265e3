// One dense convolution with all its strides, and how its arrays are cut into blocks and packed for the tiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "driver.h"

namespace hornbill {

using i64 = int64_t;

inline i64 ceil_div(i64 a, i64 b) { return (a + b - 1) / b; }

// A convolution as the tiles see it: also a gradient by the input, or one phase of it, with mirrored weights (negative
// strides) and outputs that lie apart. T is float or Half.
template <typename T>
struct ProductOf {
  i64 images, height, width, ci;  // input
  i64 out_h, out_w, co;
  i64 kh, kw, sh, sw, dh, dw, top, left;
  T* in;
  i64 in_px, in_row, in_img;
  T* out;
  i64 out_px, out_row, out_img;
  T* w;
  i64 w_kh, w_kw, w_ci, w_co;
  const T* bias = nullptr;
  int activation = kNone;

  i64 cells() const { return kh * kw; }
  double work() const { return 2.0 * images * out_h * out_w * co * ci * cells(); }
};

using Product = ProductOf<float>;

// The product of one group of channels.
template <typename T>
ProductOf<T> product(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel, const ArrayOf<T>& out, i64 group);

// Those whose sums are the gradient by the input: one for each group and each remainder of the strides.
template <typename T>
std::vector<ProductOf<T>> input_products(const Window& v, const ArrayOf<T>& in, const ArrayOf<T>& kernel,
                                         const ArrayOf<T>& out);

// Splits `size` into equal pieces of at most `most`; piece `i` starts at `start(i)`.
struct Pieces {
  i64 size, count;
  Pieces(i64 size, i64 most) : size(size), count(std::max<i64>(1, ceil_div(size, most))) {}
  i64 start(i64 i) const { return size * i / count; }
};

// Output rows (of one image) whose input lies at equal distances.
struct Segment {
  const float* a;  // input under the first pixel
  i64 a_row, rows, width;
  float* out;
  i64 first;       // pixel, counted within the chunk
};

// A run of output channels that one tile holds.
struct Column {
  i64 first;
  int vectors, count;
};

// Cuts the output channels into the widths of tiles.
std::vector<Column> columns_of(i64 channels, int vector_width);

// How the input is brought into the order that the tiles read.
enum class Mode {
  kFlat,    // 1x1 without strides: pixels where they are, as one long row
  kDirect,  // nothing sticks out: rows where they are
  kRows,    // the rows that a task needs are copied with their padding
  kGather,  // for each output pixel, all cells under its window are copied: for narrow images
};

struct Layout {
  Layout(const Product& p, int vector_width);

  Mode mode;
  i64 channel_blocks, channel_block;
  i64 units;                     // what tasks are made of: rows of output, or single pixels
  i64 unit_pixels, unit_floats;  // per unit: output pixels; packed input of one block of channels
  std::vector<Column> columns;
  // Strides within the packed input of a block of `channels`; see `Forward`.
  i64 px, s1, s2, n1, n2, len;

  i64 first_channel(i64 block) const { return block * channel_block; }
  i64 channels(const Product& p, i64 block) const;
  // Sets the strides for a block and returns the segments of the units from `begin` to `end`; `room` is for what has to
  // be copied.
  void open(const Product& p, i64 block, i64 begin, i64 end, float* room, std::vector<Segment>& segments);
  // Floats that `open` needs at most for so many units.
  i64 room(const Product& p, i64 count) const;

 private:
  i64 packed_width(const Product& p) const;
  i64 packed_rows(const Product& p, i64 rows) const;
};

// Packs the weights of one column and block of channels: rows (i, j, channel) of the column's whole width.
void pack_weights(const Kernels& k, const Product& p, const Column& column, i64 first, i64 channels, float* to);

// Copies the outputs of some segments, a column's channels only, pixel after pixel, filled up with zeros.
void pack_outputs(const Kernels& k, const Product& p, const Column& column, const std::vector<Segment>& segments,
                  float* to);

}  // namespace hornbill
