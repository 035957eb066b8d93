#pragma once

#include <string>
#include <vector>

#include "measure.h"

namespace geng::bench {

/// What stands above the first row, "" for nothing.
std::string head(Format format);
/// One row; `first` is false for every other one.
std::string line(Format format, const Row& row, bool first);
/// What stands below the last row.
std::string foot(Format format);

}  // namespace geng::bench
