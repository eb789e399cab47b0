// SPDX-License-Identifier: Apache-2.0
// How far a job is: the events of whoever does it folded into one object, and that object as clients see it.
#pragma once

#include <optional>

#include "jobs/queue.hpp"
#include "json/json.hpp"

namespace imago::jobs {

/// Takes an event of docs/formats/trainer.md into `progress` (an object, or null at first): stage, epoch, loss, the
/// history by epoch, and `progress`, the share of the whole that is done, in [0, 1]. An epoch that comes again (a run
/// was resumed) replaces the one before. Events that say nothing of this are passed over.
void fold_event(json::Value& progress, const json::Value& event);

/// What GET /training-status answers of a job, or without one ("idle"); every key is always there.
json::Value status_of(const std::optional<Job>& job);

/// A job as GET /v1/jobs lists it: the short members of its payload, how much of it is done, how it ended.
json::Value summary_of(const Job& job);

/// A job as GET /v1/jobs/{id} answers it.
json::Value to_json(const Job& job);

}  // namespace imago::jobs
