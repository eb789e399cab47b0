// SPDX-License-Identifier: Apache-2.0
// What clients ask to be trained, checked and put into the queue.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "data/repository.hpp"
#include "http/server.hpp"
#include "jobs/queue.hpp"
#include "json/json.hpp"
#include "serve/api.hpp"

namespace imago::serve {

struct Submitted {
  jobs::Job job;
  bool waits = false;                   ///< another job is before it
  std::vector<data::Refusal> rejected;  ///< of the images sent or staged, those that are not trained on
};

/// {"dataset"?, "recipe"?, "model"?, "epochs"?, "max_minutes"?, "seed"?}. Left out, the data set is that of the model
/// being served, else the newest; the recipe is "quick", the model is named as the data set. Everything that can be
/// wrong is found now and not in the job.
Result<Submitted> submit_training(const Api& api, const json::Value& wishes, const jobs::JobRequest& request = {});

/// {"model"?, "files"?: [upload ids], "labels"?: [one each], "epochs"?, "replay"?, "margin"?, "rate"?, "seed"?}.
/// Without "files" all labelled uploads that wait. InvalidArgument when that is none.
Result<Submitted> submit_retraining(const Api& api, const json::Value& wishes, const jobs::JobRequest& request = {});

/// The same from a request that brings the images along: a form or an archive, see docs/api/uploads.md. Settings may
/// stand in the query or in the form's fields.
Result<Submitted> submit_retraining_with(const Api& api, const http::Request& request);

}  // namespace imago::serve
