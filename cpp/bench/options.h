#pragma once

#include <string>
#include <vector>

#include "geng/precision.h"

namespace geng::bench {

enum class Format { md, csv, json, jsonl };

/// What is measured: every combination of the lists.
struct Options {
  std::string model, shape, condition;
  std::vector<int> steps{4}, threads{1}, batch{1};
  std::vector<Precision> precision{Precision::int8};
  std::vector<std::string> isa{""};
  std::vector<double> guidance{1.5};
  int repetitions = 10;
  double cooldown = 0.0;  ///< Seconds of rest before each row.
  Format format = Format::md;
  bool matmul = false;  ///< The int8 matmul alone.
  bool help = false;
};

/// The text of --help.
extern const char* const kUsage;

/// @throws Error{invalid_argument}  A flag is unknown, a value is missing or not of its kind.
Options parse(int count, char** arguments);

}  // namespace geng::bench
