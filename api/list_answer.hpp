#pragma once
// A whole list as one JSON answer, {"<name>": [...]}, for dialects that know no pages; a long one
// goes out in pieces (piecewise_answer.hpp).
//
//   answer_list(services.queries, client, {"leases", head}, [=](Reader& reader, ListRows& rows) {
//     ... rows.add(writer) for each of the next rows ...
//     return more;   // false: those were the last
//   }, reader);
#include <functional>
#include <string>

#include "api/piecewise_answer.hpp"
#include "core/base/json_write.hpp"

namespace slipway::api {

// Where rows are put, one JSON value each.
class ListRows {
 public:
  ListRows(std::string& out, bool& first) : out_(out), first_(first) {}
  // Takes the text of `row` and clears it for the next.
  void add(base::JsonWriter& row);

 private:
  std::string& out_;
  bool& first_;
};

struct ListForm {
  std::string name;
  Response head;  // status, type and headers
};

// The next rows, as many as one question to the read models gives; whether there are more. Errors
// and threads as with NextPiece.
using NextRows = std::function<base::Result<bool>(eventstore::Reader&, ListRows&)>;

// From within a question.
void answer_list(QueryPool& queries, const Client& client, ListForm form, NextRows next,
                 eventstore::Reader& reader);

}  // namespace slipway::api
