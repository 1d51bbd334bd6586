#include "eventstore/retention.hpp"

#include <algorithm>

#include "core/base/check.hpp"
#include "core/domain/record.hpp"
#include "eventstore/bytes.hpp"

namespace slipway::eventstore {
namespace {

constexpr char kQueued = '\0';
constexpr char kShared = '\1';
constexpr std::size_t kElementHeader = 1 + 8;

std::string queue_key(Seq seq, std::string_view key = {}) {
  std::string out(kElementHeader, kQueued);
  put_be64(out.data() + 1, seq);
  out += key;
  return out;
}

std::string shared_key(const domain::SecretRef& ref) { return kShared + ref; }

// Hours are whole, and the one in which it was put does not count.
std::size_t samples_for(base::Duration age) {
  return static_cast<std::size_t>(std::chrono::ceil<std::chrono::hours>(age).count()) + 1;
}

}  // namespace

void Retention::remember(LogBatch& batch, const std::string& key, std::string answer, Seq seq,
                         const domain::SecretRef& once) {
  CHECK(!key.empty() && key[0] != kQueued, "an idempotency key that begins with NUL");
  batch.idempotency.push_back({key, std::move(answer)});
  batch.idempotency.push_back({queue_key(seq, key), once});
}

void Retention::condemn(LogBatch& batch, const domain::SecretRef& ref, Seq seq) {
  batch.secrets.push_back({queue_key(seq, ref), {}});
}

void Retention::share(LogBatch& batch, const domain::SecretRef& ref) {
  batch.secrets.push_back({shared_key(ref), {}});
}

void Retention::on_sample(Seq seq) {
  due_ = true;
  if (!loaded_) return;  // it will be found in the log
  samples_.push_back(seq);
  const std::size_t most = samples_for(std::max(options_.answers, options_.secrets));
  while (samples_.size() > most) samples_.pop_front();
}

// The newest records of the system's stream, back to as many samples as count.
base::Status Retention::load_samples() {
  const domain::StreamId system(domain::StreamKind::System, "main");
  auto seqs = log_.stream_records(system.index_key(), 0, SIZE_MAX);
  if (!seqs) return base::fail(seqs.error());
  const std::size_t most = samples_for(std::max(options_.answers, options_.secrets));
  base::JsonParser parser;
  std::string storage;
  for (auto seq = seqs->rbegin(); seq != seqs->rend() && samples_.size() < most; ++seq) {
    storage.clear();
    const auto record = log_.find(*seq, storage);
    if (!record) return base::fail(record.error());
    if (!*record) continue;
    const auto body = domain::decode_record((*record)->payload, parser);
    if (!body) return base::fail(body.error());
    if (std::holds_alternative<domain::StatSampled>(body->events.front().body)) {
      samples_.push_front(*seq);
    }
  }
  loaded_ = true;
  return {};
}

Seq Retention::horizon(base::Duration age) const {
  const std::size_t needed = samples_for(age);
  return samples_.size() < needed ? 0 : samples_[samples_.size() - needed];
}

base::Status Retention::take(LogColumn column, base::Duration age, Seq& from, std::size_t& room,
                             const Forget& forget) {
  const Seq end = horizon(age);
  if (end <= from || room == 0) return {};
  const auto queued = log_.range(column, queue_key(from), queue_key(end), room);
  if (!queued) return base::fail(queued.error());
  for (const LogBatch::Put& element : *queued) {
    from = get_be64(element.key.data() + 1);
    if (auto status = forget(element, element.key.substr(kElementHeader)); !status) return status;
  }
  room -= queued->size();
  if (room > 0) from = end;
  return {};
}

base::Status Retention::sweep(LogBatch& batch,
                              const std::function<bool(const domain::SecretRef&)>& in_use) {
  if (!loaded_) {
    if (auto status = load_samples(); !status) return status;
  }
  std::size_t room = options_.sweep_max;
  const auto forget_answer = [&](const LogBatch::Put& element, std::string key) -> base::Status {
    batch.forgotten_idempotency.push_back(element.key);
    batch.forgotten_idempotency.push_back(std::move(key));
    if (!element.value.empty()) batch.deleted_secrets.push_back(element.value);
    return {};
  };
  const auto forget_secret = [&](const LogBatch::Put& element, std::string ref) -> base::Status {
    batch.deleted_secrets.push_back(element.key);
    const auto shared = log_.secret(shared_key(ref));
    if (!shared) return base::fail(shared.error());
    // The VM that still has it puts it into the queue again when it goes.
    if (*shared && in_use(ref)) return {};
    if (*shared) batch.deleted_secrets.push_back(shared_key(ref));
    batch.deleted_secrets.push_back(std::move(ref));
    return {};
  };
  auto status = take(LogColumn::Idempotency, options_.answers, answers_from_, room, forget_answer);
  if (status)
    status = take(LogColumn::Secrets, options_.secrets, secrets_from_, room, forget_secret);
  if (status) due_ = room == 0;
  return status;
}

}  // namespace slipway::eventstore
