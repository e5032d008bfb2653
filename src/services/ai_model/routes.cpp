#include "services/ai_model/routes.hpp"

namespace al::services::ai_model {

void add_routes(http::Router& router, Models const& models) {
  add_passthrough_routes(router, models);
  add_usage_routes(router, models);
  add_model_routes(router, models);
}

}  // namespace al::services::ai_model
