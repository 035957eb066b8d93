#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace geng::bench {

/// One shape of the int8 matmul, measured on one thread.
struct MatmulRow {
  std::string isa;
  std::size_t rows, cols, depth;
  double microseconds, gops, peak_percent;
};

/// The shapes of one guided step of the `edge` bridge (20 rows), weights streaming from the outer
/// caches as they do in a step: as many matrices take turns as the bridge has.
std::vector<MatmulRow> measure_matmul(const std::string& isa);

/// Those rows as a Markdown table.
std::string table(const std::vector<MatmulRow>& rows);

}  // namespace geng::bench
