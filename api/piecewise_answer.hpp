#pragma once
// An answer that may be too long for one message. A short one is one message; a long one goes out
// piece by piece, each read and rendered only when the one before is in the client's hands: a slow
// reader holds neither a thread nor the whole in memory.
#include <functional>
#include <string>

#include "api/query_pool.hpp"

namespace slipway::api {

// Appends the next piece, which is not empty unless it is the last; whether there are more. On the
// query pool, never on two threads at once. An Error before the first piece is answered as such;
// after it the answer is broken off, which a client can tell from its end.
using NextPiece = std::function<base::Result<bool>(eventstore::Reader&, std::string& piece)>;

// `head` has status, type and headers. Any thread.
void answer_in_pieces(QueryPool& queries, const Client& client, Response head, NextPiece next);
// The same from within a question.
void answer_in_pieces(QueryPool& queries, const Client& client, Response head, NextPiece next,
                      eventstore::Reader& reader);

}  // namespace slipway::api
