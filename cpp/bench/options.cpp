#include "options.h"

#include <charconv>
#include <functional>
#include <string_view>
#include <utility>

#include "geng/error.h"

namespace geng::bench {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(Code::invalid_argument, sentence + "; see geng-bench --help");
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

template <typename T>
T number(const std::string& flag, const std::string& text, T least) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least)) {
    refuse(flag + " is '" + text.substr(0, 40) + "'; it must be a number from " +
           std::to_string(least));
  }
  return value;
}

template <typename T>
std::vector<T> numbers(const std::string& flag, const std::string& list, T least) {
  std::vector<T> values;
  for (const std::string& part : split(list)) values.push_back(number<T>(flag, part, least));
  return values;
}

template <typename T>
T one_of(const std::string& flag, const std::string& text,
         const std::vector<std::pair<std::string_view, T>>& known) {
  std::string names;
  for (const auto& [name, value] : known) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  refuse(flag + " is '" + text.substr(0, 40) + "'; it must be one of " + names);
}

}  // namespace

const char* const kUsage =
    "geng-bench (--model FILE | --shape edge|paper|tiny | --matmul) [flags]\n"
    "Every combination of the comma lists is measured.\n"
    "  --matmul              the int8 matmul alone, at the shapes of the edge bridge (takes "
    "--isa)\n"
    "  --cond FILE.npy       condition to sample for (default: random rows)\n"
    "  --steps LIST          denoising steps (default 4)\n"
    "  --threads LIST        0: what affinity and quota allow (default 1)\n"
    "  --batch LIST          series drawn together (default 1)\n"
    "  --precision LIST      int8, fp32 (default int8)\n"
    "  --isa LIST            kernel sets (default the best this CPU runs)\n"
    "  --guidance LIST       w; 0 evaluates the bridge once a step, which is what the default of\n"
    "                        geng-edge sample costs (default 1.5)\n"
    "  --repetitions N       samples a row (default 10)\n"
    "  --cooldown SECONDS    rest before a row (default 0)\n"
    "  --output FORMAT       md, csv, json, jsonl; raw samples in the last two (default md)\n";

Options parse(int count, char** arguments) {
  Options o;
  for (int i = 1; i < count; ++i) {
    const std::string flag = arguments[i];
    if (flag == "--help") {
      o.help = true;
      return o;
    }
    if (flag == "--matmul") {
      o.matmul = true;
      continue;
    }
    if (flag.rfind("--", 0) != 0) refuse("argument '" + flag.substr(0, 40) + "' is no flag");
    if (i + 1 == count) refuse(flag.substr(0, 40) + " has no value, or is unknown");
    const std::string value = arguments[++i];
    if (flag == "--model") {
      o.model = value;
    } else if (flag == "--shape") {
      o.shape = one_of<std::string>(flag, value,
                                    {{"edge", "edge"}, {"paper", "paper"}, {"tiny", "tiny"}});
    } else if (flag == "--cond") {
      o.condition = value;
    } else if (flag == "--steps") {
      o.steps = numbers(flag, value, 1);
    } else if (flag == "--threads") {
      o.threads = numbers(flag, value, 0);
    } else if (flag == "--batch") {
      o.batch = numbers(flag, value, 1);
    } else if (flag == "--precision") {
      o.precision.clear();
      for (const std::string& part : split(value)) {
        o.precision.push_back(one_of<Precision>(
            flag, part, {{"int8", Precision::int8}, {"fp32", Precision::float32}}));
      }
    } else if (flag == "--isa") {
      o.isa = split(value);
    } else if (flag == "--guidance") {
      o.guidance = numbers(flag, value, 0.0);
    } else if (flag == "--repetitions") {
      o.repetitions = number(flag, value, 1);
    } else if (flag == "--cooldown") {
      o.cooldown = number(flag, value, 0.0);
    } else if (flag == "--output") {
      o.format = one_of<Format>(flag, value,
                                {{"md", Format::md},
                                 {"csv", Format::csv},
                                 {"json", Format::json},
                                 {"jsonl", Format::jsonl}});
    } else {
      refuse("flag " + flag.substr(0, 40) + " is unknown");
    }
  }
  if (!o.matmul && o.model.empty() == o.shape.empty()) {
    refuse("one of --model and --shape must be given");
  }
  return o;
}

}  // namespace geng::bench
