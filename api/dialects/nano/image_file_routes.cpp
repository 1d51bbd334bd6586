// The bytes of images: up, down, and those that an operator has put into the directory.
#include <fmt/format.h>

#include "api/dialects/nano/guest_commands.hpp"
#include "api/dialects/nano/image_parts.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::ImageKind;
using eventstore::ImageRow;

constexpr std::string_view kField = "image";

void no_files(const Client& client) {
  client.fail(Errc::UnprocessableArgument, "this server keeps no image files");
}

// ---- down

Handler download(ImageKind kind) {
  return [kind](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, kind](const Call& asked, auto& reader, const Client& client) {
          const auto row = find_image(asked, reader, client, kind);
          if (!row) return;
          const bool sent = context.images != nullptr &&
                            context.images->send(row->image, asked.request, asked.reply);
          if (!sent) client.fail(Errc::NotFound, "this image's data is not kept here");
        });
  };
}

// ---- up

// Says that it is in the log, and runs what had to wait for that on the file thread.
class StoredForm final : public AnswerForm {
 public:
  StoredForm(ImageFiles& files, std::function<void()> then)
      : files_(files), then_(std::move(then)) {}
  eventstore::Answer render(const eventstore::Accepted&) override {
    eventstore::Answer answer;
    answer.status = 200;
    answer.body = done().body;
    return answer;
  }
  void finish(Response&, const eventstore::Answer&) const override { files_.post(then_); }

 private:
  ImageFiles& files_;
  std::function<void()> then_;
};

// On the file thread: the bytes are there, and get the image's name before the log says so.
void record(Context& context, const std::shared_ptr<Call>& call, const ImageRow& row,
            base::Result<StoredFile> stored) {
  const Client client = client_of(*call);
  if (!stored) return client.fail(stored.error());
  const std::string& old = row.image.checksum_sha512;
  auto request = begin(context, *call);
  auto status = request ? context.images->keep(row.image.id, *stored)
                        : base::Status(base::fail(request.error()));
  if (!status) {
    context.images->drop(*stored);
    return client.fail(status.error());
  }
  request->command.body = domain::StoreImage{row.image.id, stored->size_bytes, "", stored->sha512};
  request->form = std::make_unique<StoredForm>(
      *context.images, [files = context.images, id = row.image.id, old, fresh = stored->sha512] {
        if (!old.empty() && old != fresh) files->drop(id, old);
      });
  context.submitter.submit(std::move(*request));
}

Handler upload(ImageKind kind) {
  return [kind](Context& context, Call call) {
    if (context.images == nullptr) return no_files(client_of(call));
    // Shared: it goes on on the file thread.
    const auto shared = std::make_shared<Call>(std::move(call));
    const Client client = client_of(*shared);
    if (shared->request.sink() == nullptr) {
      return client.fail(Errc::InvalidArgument, "the request has no body");
    }
    context.services.queries.ask(client, [&context, shared, client, kind](auto& reader) {
      auto row = find_image(*shared, reader, client, kind);
      if (!row) return;
      ImageFiles::finish(shared->request.sink(),
                         [&context, shared, row = std::move(*row)](auto stored) {
                           record(context, shared, row, std::move(stored));
                         });
    });
  };
}

BodyPlan plan_upload(const Context& context, const Request& head, const Responder& reply) {
  BodyPlan plan;
  if (context.images == nullptr) return plan;
  auto sink = context.images->begin(head, reply, kField);
  if (!sink) {
    Client{reply, &kErrors}.fail(sink.error());
    return plan;
  }
  plan.sink = std::move(*sink);
  // The form around the file is not counted to the byte.
  constexpr std::uint64_t kForm = 64U << 10U;
  plan.limit = context.images->max_bytes() + kForm;
  return plan;
}

void add_upload(Area& area, const std::string& pattern, ImageKind kind) {
  Context& context = area.context();
  area.add({Method::Post, pattern, allow(Right::Operate, Door::Nano),
            [&context, handler = upload(kind)](Call call) { handler(context, std::move(call)); },
            [&context](const Request& head, const Params&, const Responder& reply) {
              return plan_upload(context, head, reply);
            }});
}

// ---- what an operator has put there

// On the file thread. Each file keeps its own name until the log has the image: if it never does,
// the file is found again.
void import(Context& context, const std::shared_ptr<Call>& call,
            const domain::ImageTraits& traits) {
  const Client client = client_of(*call);
  auto request = begin(context, *call);
  if (!request) return client.fail(request.error());
  domain::SyncImages sync;
  std::vector<StoredFile> taken;
  for (ImageFiles::Found& found : context.images->find_new(traits.kind)) {
    domain::Image image;
    image.id = domain::ImageId(new_id());
    image.name = found.name;
    image.tenant = request->command.caller.tenant;
    image.disk_format = found.format;
    image.size_bytes = found.file.size_bytes;
    image.checksum_sha512 = found.file.sha512;
    image.traits = traits;
    if (!context.images->link(image.id, found.file)) continue;
    sync.images.push_back(std::move(image));
    taken.push_back(std::move(found.file));
  }
  if (sync.images.empty()) return client.send(done());
  request->command.body = std::move(sync);
  request->form = std::make_unique<StoredForm>(*context.images,
                                               [files = context.images, taken = std::move(taken)] {
                                                 for (const StoredFile& file : taken)
                                                   files->drop(file);
                                               });
  context.submitter.submit(std::move(*request));
}

Handler sync(ImageKind kind) {
  return [kind](Context& context, Call call) {
    const Client client = client_of(call);
    if (context.images == nullptr) return no_files(client);
    FieldErrors errors;
    FieldReader body = read_body(call.request, errors);
    domain::ImageTraits traits;
    traits.kind = kind;
    traits.owner = body.text("owner", {.required = true});
    traits.group = body.text("group", {.required = true});
    traits.stored = true;
    if (!errors.empty()) return client.fail(errors.error());
    const auto shared = std::make_shared<Call>(std::move(call));
    context.images->post([&context, shared, traits] { import(context, shared, traits); });
  };
}

}  // namespace

void image_file_routes(Area& area) {
  area.get("/media_image_files/{id}", download(ImageKind::Media));
  area.get("/media_images/{id}/file/", download(ImageKind::Media));
  area.get("/disk_images/{id}/file/", download(ImageKind::Disk));
  add_upload(area, "/media_image_files/{id}", ImageKind::Media);
  add_upload(area, "/media_images/{id}/file/", ImageKind::Media);
  add_upload(area, "/disk_images/{id}/file/", ImageKind::Disk);
  area.on(Method::Patch, "/media_images/", Right::Operate, sync(ImageKind::Media));
  area.on(Method::Patch, "/disk_images/", Right::Operate, sync(ImageKind::Disk));
}

}  // namespace slipway::api::nano
