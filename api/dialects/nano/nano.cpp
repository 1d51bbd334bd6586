#include "api/dialects/nano/nano.hpp"

#include "api/dialects/nano/routes.hpp"

namespace slipway::api {
namespace {

MountOptions mount_options() {
  MountOptions options;
  options.dialect = "nano";
  options.any_last_slash = true;
  options.render_error = nano::render_error;
  options.not_found = [](const Request&) {
    Response response = nano::failure("no such path");
    response.status = 404;
    return response;
  };
  return options;
}

// As long as the original keeps an unused channel.
constexpr base::Duration kChannelPatience = std::chrono::seconds(15);

}  // namespace

Nano::Nano(const ApiServices& services, Authenticator& authenticator, Submitter& submitter,
           const TaskWatch& watch, nano::Options options)
    : options_(std::move(options)),
      sessions_(services.clock, services.people, options_.session_timeout),
      channels_(services.clock, kChannelPatience),
      context_{services,  authenticator, submitter,           watch,
               sessions_, options_,      services.clock.now()} {
  context_.images = options_.images;
  context_.channels = &channels_;
  context_.relay = &relay_;
}

RouteTable Nano::routes(nano::Base base) {
  nano::Area area(context_, base);
  nano::session_routes(area);
  nano::system_routes(area);
  nano::guest_routes(area);
  nano::credential_routes(area);
  nano::instance_routes(area);
  nano::monitor_routes(area);
  nano::image_routes(area);
  nano::image_file_routes(area);
  nano::batch_routes(area);
  nano::migration_routes(area);
  nano::user_routes(area);
  nano::group_routes(area);
  nano::log_routes(area);
  nano::pool_routes(area);
  nano::cell_routes(area);
  nano::storage_routes(area);
  nano::status_routes(area);
  nano::address_routes(area);
  nano::template_routes(area);
  nano::security_routes(area);
  return area.take();
}

void Nano::mount(Router& router, const std::string& prefix) {
  router.mount(prefix, routes(nano::Base::Plain), mount_options());
  router.mount(prefix + "/api/v1", routes(nano::Base::V1), mount_options());
}

}  // namespace slipway::api
