#include <set>

#include "check.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/trajectory.h"
#include "geng/error.h"
#include "random_model.h"

using geng::Code;
using geng::NoiseSchedule;
using geng::Trajectory;

static NoiseSchedule cosine() { return NoiseSchedule(geng::random_model::cosine_alpha_bar(500)); }

TEST(NoiseSchedule, KeepsAlphaSquaredPlusSigmaSquaredAtOne) {
  const NoiseSchedule schedule = cosine();
  for (int t = 0; t < 500; ++t) {
    const double a = schedule.alpha(t);
    const double s = schedule.sigma(t);
    CHECK_NEAR(a * a + s * s, 1.0, 1e-12);
  }
}

TEST(NoiseSchedule, IsCleanBelowTheFirstTimestep) {
  CHECK_EQ(cosine().alpha(-1), 1.0);
  CHECK_EQ(cosine().sigma(-1), 0.0);
}

TEST(NoiseSchedule, RefusesATableThatDoesNotFall) {
  const std::vector<float> rising = {0.5f, 0.6f};
  const std::vector<float> above = {1.5f};
  const std::vector<float> nan = {NAN};
  CHECK_ERROR(NoiseSchedule({}), Code::model_file, "schedule.alpha_bar is empty");
  CHECK_ERROR(NoiseSchedule{rising}, Code::model_file, "at t = 1; it must fall strictly");
  CHECK_ERROR(NoiseSchedule{above}, Code::model_file, "at t = 0");
  CHECK_ERROR(NoiseSchedule{nan}, Code::model_file, "at t = 0");
}

TEST(Trajectory, FallsStrictlyFromTheLastTimestepToTheCleanEndAtEveryStepCount) {
  const NoiseSchedule schedule = cosine();
  for (int steps = 1; steps <= 500; ++steps) {
    const Trajectory trajectory(schedule, steps);
    const auto table = trajectory.steps();
    CHECK_EQ(table.size(), static_cast<std::size_t>(steps));
    CHECK_EQ(table.front().t, 499);
    CHECK_EQ(table.back().t_next, -1);
    for (const geng::Step& step : table) {
      CHECK(step.t > step.t_next);
      CHECK(step.t >= 0);
    }
    for (std::size_t i = 1; i < table.size(); ++i) CHECK_EQ(table[i].t, table[i - 1].t_next);
  }
}

TEST(Trajectory, VisitsEveryTimestepWhenThereAreAsManySteps) {
  const Trajectory trajectory(cosine(), 500);
  for (int i = 0; i < 500; ++i) {
    CHECK_EQ(trajectory.steps()[static_cast<std::size_t>(i)].t, 499 - i);
  }
}

TEST(Trajectory, SpacesTwentyStepsEvenly) {
  const int expected[] = {499, 474, 449, 424, 399, 374, 349, 324, 299, 274,
                          250, 225, 200, 175, 150, 125, 100, 75,  50,  25};
  const Trajectory trajectory(cosine(), 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK_EQ(trajectory.steps()[i].t, expected[i]);
}

TEST(Trajectory, RefusesStepsOutOfRange) {
  const NoiseSchedule schedule = cosine();
  CHECK_ERROR(Trajectory(schedule, 0), Code::invalid_argument, "steps is 0; it must be 1 to 500");
  CHECK_ERROR(Trajectory(schedule, 501), Code::invalid_argument, "steps is 501");
}

CHECK_MAIN()
