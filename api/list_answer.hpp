#pragma once
// A whole list as one JSON answer, {"<name>": [...]}, for dialects that know no pages. A short list
// is one message. A long one goes out piece by piece, each read and rendered only when the one
// before is in the client's hands: a slow reader holds neither a thread nor the list in memory.
//
//   ListAnswer::start(services.queries, client, {"leases", head}, [=](Reader& reader, Rows& rows) {
//     ... rows.add(writer) for each of the next rows ...
//     return more;   // false: those were the last
//   });
#include <functional>
#include <memory>
#include <string>

#include "api/query_pool.hpp"
#include "core/base/json_write.hpp"

namespace slipway::api {

class ListAnswer : public std::enable_shared_from_this<ListAnswer> {
 public:
  // Where rows are put, one JSON value each.
  class Rows {
   public:
    explicit Rows(std::string& out) : out_(out) {}
    // Takes the text of `row` and clears it for the next.
    void add(base::JsonWriter& row);

   private:
    std::string& out_;
    bool first_ = true;
    friend class ListAnswer;
  };
  // The next rows, as many as one question to the read models gives; whether there are more. On the
  // query pool, never on two threads at once. An Error before the first piece is answered as such,
  // after it the answer is broken off, which a client can tell from its end.
  using Next = std::function<base::Result<bool>(eventstore::Reader&, Rows&)>;
  struct Form {
    std::string name;
    Response head;  // status, type and headers
  };

  static void start(QueryPool& queries, const Client& client, Form form, Next next);
  // The same from within a question.
  static void start(QueryPool& queries, const Client& client, Form form, Next next,
                    eventstore::Reader& reader);

 private:
  ListAnswer(QueryPool& queries, const Client& client, Form form, Next next);
  base::Status render(eventstore::Reader& reader);
  void send_first(eventstore::Reader& reader);
  void send_next(eventstore::Reader& reader);

  QueryPool& queries_;
  const Client client_;
  Form form_;
  const Next next_;
  std::string piece_;
  Rows rows_{piece_};
  bool done_ = false;
  Stream stream_;
};

}  // namespace slipway::api
