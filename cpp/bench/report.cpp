#include "report.h"

#include <cstdio>
#include <utility>

namespace geng::bench {
namespace {

using Cell = std::pair<std::string, std::string>;  // name, value

std::string text(double value, const char* form = "%.3f") {
  char out[32];
  std::snprintf(out, sizeof out, form, value);
  return out;
}

/// Every figure of a row but its raw samples, in the order of the columns.
std::vector<Cell> cells(const Row& row) {
  const Spread step = spread_of(row.step);
  const Spread sample = spread_of(row.sample);
  return {{"model", row.model},
          {"isa", row.isa},
          {"precision", row.precision},
          {"threads", std::to_string(row.threads)},
          {"batch", std::to_string(row.batch)},
          {"guidance", text(row.guidance, "%g")},
          {"steps", std::to_string(row.steps)},
          {"load_ms", text(row.load)},
          {"first_step_ms", text(row.first_step)},
          {"step_ms", text(step.median)},
          {"step_q1_ms", text(step.low)},
          {"step_q3_ms", text(step.high)},
          {"sample_ms", text(sample.median)},
          {"sample_q1_ms", text(sample.low)},
          {"sample_q3_ms", text(sample.high)},
          {"peak_percent", text(row.peak_share, "%.1f")},
          {"peak_rss_mb", text(row.peak_rss_mb, "%.1f")},
          {"temperature_c", row.temperature},
          {"throttled", row.throttled},
          {"version", GENG_VERSION},
          {"build", GENG_BUILD_FLAGS}};
}

std::string joined(const std::vector<Cell>& row, const char* between, bool names) {
  std::string out;
  for (const auto& [name, value] : row)
    out += (out.empty() ? "" : between) + (names ? name : value);
  return out;
}

std::string quoted(const std::string& plain) {
  std::string out = "\"";
  for (const char c : plain) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return out + "\"";
}

bool is_number(const std::string& value) {
  return !value.empty() && value.find_first_not_of("0123456789.-+e") == std::string::npos &&
         value.find_first_of("0123456789") != std::string::npos &&
         value.find('.') == value.rfind('.');
}

std::string array(const std::vector<double>& values) {
  std::string out;
  for (const double value : values) out += (out.empty() ? "" : ",") + text(value, "%.5f");
  return "[" + out + "]";
}

std::string object(const Row& row) {
  std::string out;
  for (const auto& [name, value] : cells(row)) {
    const bool plain = is_number(value) && name != "version" && name != "model";
    out += quoted(name) + ":" + (plain ? value : quoted(value)) + ",";
  }
  return "{" + out + "\"step_samples_ms\":" + array(row.step) +
         ",\"sample_samples_ms\":" + array(row.sample) + "}";
}

const Row kNone{"", "", "", 0, 0, 0, 0.0, 0.0, 0.0, {0.0}, {0.0}, 0.0, 0.0, "", ""};

}  // namespace

std::string head(Format format) {
  const std::vector<Cell> columns = cells(kNone);
  switch (format) {
    case Format::csv:
      return joined(columns, ",", true) + "\n";
    case Format::json:
      return "[\n";
    case Format::jsonl:
      return "";
    case Format::md:
      break;
  }
  std::string rule;
  for (std::size_t i = 0; i < columns.size(); ++i) rule += " --- |";
  return "| " + joined(columns, " | ", true) + " |\n|" + rule + "\n";
}

std::string line(Format format, const Row& row, bool first) {
  switch (format) {
    case Format::csv:
      return joined(cells(row), ",", false) + "\n";
    case Format::json:
      return (first ? "" : ",\n") + object(row);
    case Format::jsonl:
      return object(row) + "\n";
    case Format::md:
      break;
  }
  return "| " + joined(cells(row), " | ", false) + " |\n";
}

std::string foot(Format format) { return format == Format::json ? "\n]\n" : ""; }

}  // namespace geng::bench
