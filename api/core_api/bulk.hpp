#pragma once
// POST /core/v1/tasks/cancel and /retry: one batch over all tasks that a filter matches, provided
// that it matches about as many as the caller expects.
#include "api/core_api/context.hpp"

namespace slipway::api {

// `kind`: BatchTaskCancel or BatchTaskRedrive.
void cancel_or_retry_many(CoreContext& ctx, Call call, domain::CommandKind kind);

}  // namespace slipway::api
