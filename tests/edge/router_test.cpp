#include "api/edge/router.hpp"

#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

enum class Right { View = 3, Change = 4 };

// Answers with what was matched.
RouteHandler says(std::string name) {
  return [name](Call call) {
    std::string text = name;
    for (std::size_t i = 0; i < call.params.size(); ++i) {
      text += " " + std::string(call.params.at(i));
    }
    call.reply.send(Response(200, text, kText));
  };
}
const Permission kView(Right::View);

class Routes : public EdgeTest {
 protected:
  // The router takes the handler's place.
  void start_router(Observer observer = {}) {
    auto opened = Server::open(options, std::move(observer));
    ASSERT_TRUE(opened);
    server = std::move(*opened);
    port = *server->listen({.name = "main", .host = "127.0.0.1", .handler = router});
    server->start();
  }
  std::string ask(const std::string& method, const std::string& path) {
    RawClient c = client();
    const auto answer =
        c.ask(method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", method == "HEAD");
    if (!answer) return "no answer";
    allow = answer->header("Allow");
    return answer->status == 200 ? answer->body : std::to_string(answer->status);
  }
  std::shared_ptr<Router> router = std::make_shared<Router>(Router::open_to_all());
  std::string allow;
};

TEST_F(Routes, MatchLiteralsBeforeParametersAndTheRestLast) {
  router->mount("/core/v1", {{Method::Get, "/tasks", kView, says("list")},
                             {Method::Get, "/tasks/{id}", kView, says("one")},
                             {Method::Get, "/tasks/latest", kView, says("latest")},
                             {Method::Get, "/tasks/{id}/events", kView, says("events")},
                             {Method::Get, "/tasks/{task}/items/{item}", kView, says("item")},
                             {Method::Get, "/docs/{rest*}", kView, says("docs")}});
  start_router();
  EXPECT_EQ(ask("GET", "/core/v1/tasks"), "list");
  EXPECT_EQ(ask("GET", "/core/v1/tasks?x=1"), "list");
  EXPECT_EQ(ask("GET", "/core/v1/tasks/7"), "one 7");
  EXPECT_EQ(ask("GET", "/core/v1/tasks/latest"), "latest");
  EXPECT_EQ(ask("GET", "/core/v1/tasks/latest/events"), "events latest") << "steps back";
  EXPECT_EQ(ask("GET", "/core/v1/tasks/7/items/8"), "item 7 8");
  EXPECT_EQ(ask("GET", "/core/v1/docs/a/b.js"), "docs a/b.js");
  EXPECT_EQ(ask("GET", "/core/v1/docs/"), "docs ");
  EXPECT_EQ(ask("GET", "/core/v1/docs"), "docs ");
  for (const char* path : {"/", "/core/v1", "/core/v1/task", "/core/v1/tasks/", "/core/v1//tasks",
                           "/core/v1/tasks//events", "/core/v1/tasks/7/", "/Core/v1/tasks"}) {
    EXPECT_EQ(ask("GET", path), "404") << path;
  }
}

TEST_F(Routes, EscapesAreDecodedInsideTheirSegment) {
  router->mount("", {{Method::Get, "/vms/{name}/x", kView, says("vm")},
                     {Method::Get, "/a b", kView, says("literal")}});
  start_router();
  EXPECT_EQ(ask("GET", "/vms/a%2Fb%20c/x"), "vm a/b c");
  EXPECT_EQ(ask("GET", "/v%6ds/%41/x"), "vm A");
  EXPECT_EQ(ask("GET", "/a%20b"), "literal");
}

TEST_F(Routes, HeadWorksWhereverGetDoes) {
  router->mount("", {{Method::Get, "/x", kView, says("x")}});
  start_router();
  EXPECT_EQ(ask("HEAD", "/x"), "");
  EXPECT_EQ(ask("HEAD", "/y"), "404");
}

TEST_F(Routes, AWrongVerbOnAKnownPathIs405WithAllow) {
  router->mount("", {{Method::Get, "/x/{id}", kView, says("get")},
                     {Method::Delete, "/x/{id}", kView, says("delete")},
                     {Method::Post, "/x/all", kView, says("all")}});
  start_router();
  EXPECT_EQ(ask("PUT", "/x/1"), "405");
  EXPECT_EQ(allow, "GET, HEAD, DELETE");
  EXPECT_EQ(ask("PUT", "/x/all"), "405");
  EXPECT_EQ(allow, "GET, HEAD, POST, DELETE");
  EXPECT_EQ(ask("BREW", "/x/1"), "405");
  EXPECT_EQ(ask("GET", "/x/all"), "get all") << "the verb decides between two templates";
}

TEST_F(Routes, AMountMayIgnoreTheLastSlash) {
  const RouteTable guests = {{Method::Get, "/guests/", kView, says("guests")},
                             {Method::Get, "/guests/{id}", kView, says("guest")}};
  router->mount("/strict", {{Method::Get, "/guests", kView, says("strict")}});
  router->mount("/any", guests, {.dialect = "any", .any_last_slash = true});
  router->mount("", guests, {.dialect = "any", .any_last_slash = true});
  start_router();
  EXPECT_EQ(ask("GET", "/any/guests"), "guests");
  EXPECT_EQ(ask("GET", "/any/guests/"), "guests");
  EXPECT_EQ(ask("GET", "/any/guests/5/"), "guest 5");
  EXPECT_EQ(ask("GET", "/guests/5/"), "guest 5");
  EXPECT_EQ(ask("GET", "/any/guests//"), "404");
  EXPECT_EQ(ask("GET", "/strict/guests"), "strict");
  EXPECT_EQ(ask("GET", "/strict/guests/"), "404");
}

TEST_F(Routes, RefusalsTakeTheFormOfTheirMount) {
  router->mount("/d/odd", {{Method::Get, "/x", kView, says("x")}},
                {.dialect = "odd",
                 .render_error =
                     [](const ErrorInfo& info) {
                       return Response(info.status, "odd " + std::to_string(info.status), kText);
                     },
                 .wrong_verb = [](const Request&,
                                  std::string_view) { return Response(501, "verb", kText); }});
  router->mount("/d/oddly", {{Method::Get, "/x", kView, says("x")}});
  start_router();
  RawClient c = client();
  EXPECT_EQ(c.ask(get("/d/odd/none"))->body, "odd 404");
  EXPECT_EQ(c.ask(post("/d/odd/x", ""))->status, 501);
  EXPECT_EQ(c.ask(get("/d/oddly/none"))->header("Content-Type"), "application/problem+json");
  EXPECT_EQ(c.ask(get("/elsewhere"))->header("Content-Type"), "application/problem+json");
}

TEST_F(Routes, TheGuardComesBeforeTheHandlerAndMayAnswerLater) {
  std::thread checking;
  router = std::make_shared<Router>([&](Call call) {
    if (call.request.header("Authorization").empty()) {
      call.reply.fail({base::Errc::Unauthenticated, "no token", {}});
      return;
    }
    EXPECT_EQ(call.route->permission.value(), static_cast<int>(Right::Change));
    call.identity = std::make_shared<std::string>("ann");
    checking = std::thread([call = std::move(call)]() mutable { Router::run(std::move(call)); });
  });
  router->mount(
      "",
      {{Method::Post, "/x/{id}", Permission(Right::Change), [](Call call) {
          const auto& who = *std::static_pointer_cast<const std::string>(call.identity);
          call.reply.send(Response(
              200, who + " " + std::string(call.params["id"]) + " " + call.request.body(), kText));
        }}});
  start_router();
  RawClient c = client();
  EXPECT_EQ(c.ask(post("/x/7", "body"))->status, 401);
  EXPECT_EQ(c.ask(post("/x/7", "body", "Authorization: t\r\n"))->body, "ann 7 body");
  checking.join();
}

TEST_F(Routes, AnExceptionOnAnotherThreadIsA500Too) {
  std::thread elsewhere;
  router = std::make_shared<Router>([&](Call call) {
    elsewhere = std::thread([call = std::move(call)]() mutable { Router::run(std::move(call)); });
  });
  router->mount("",
                {{Method::Get, "/", kView, [](Call) -> void { throw std::runtime_error("x"); }}});
  start_router();
  EXPECT_EQ(ask("GET", "/"), "500");
  elsewhere.join();
}

TEST_F(Routes, APlannedBodyIsAskedForAfterTheHeadGuard) {
  router = std::make_shared<Router>(Router::open_to_all(),
                                    [](const Route&, const Request& head, const Responder& reply) {
                                      if (!head.header("Authorization").empty()) return true;
                                      reply.fail({base::Errc::Unauthenticated, "no token", {}});
                                      return false;
                                    });
  router->mount("", {{Method::Put, "/up/{id}", kView, says("up"),
                      [](const Request&, const Params& params, const Responder&) {
                        return BodyPlan{.limit = params["id"] == "small" ? 2U : 100U, .sink = {}};
                      }}});
  start_router();
  const std::string ten = "Content-Length: 10\r\nAuthorization: t\r\n\r\n0123456789";
  EXPECT_EQ(client().ask("PUT /up/big HTTP/1.1\r\nHost: x\r\n" + ten)->body, "up big");
  EXPECT_EQ(client().ask("PUT /up/small HTTP/1.1\r\nHost: x\r\n" + ten)->status, 413);
  EXPECT_EQ(client().ask("PUT /up/big HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")->status,
            401);
}

TEST_F(Routes, LabelsAreTemplatesNeverPaths) {
  std::mutex mu;
  std::vector<std::string> labels;
  router->mount("/d/nano", {{Method::Get, "/x/{id}", kView, says("x")}}, {.dialect = "nano"});
  start_router([&](const RequestRecord& record) {
    std::lock_guard lock(mu);
    labels.push_back(std::string(record.dialect) + " " + std::string(record.route));
  });
  ask("GET", "/d/nano/x/123");
  ask("GET", "/d/nano/y");
  ask("GET", "/z");
  stop();
  EXPECT_EQ(labels, (std::vector<std::string>{"nano /d/nano/x/{id}", "nano other", " other"}));
}

TEST(RouterTable, ListsEveryRoute) {
  Router router(Router::open_to_all());
  router.mount("/a", {{Method::Post, "/x", Permission(Right::Change), says("x")},
                      {Method::Get, "/x", kView, says("x")}});
  router.mount("/b", {{Method::Get, "/{any}", kView, says("y")}}, {.dialect = "b"});
  const auto entries = router.entries();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].pattern, "/a/x");
  EXPECT_EQ(entries[0].method, Method::Get);
  EXPECT_EQ(entries[1].permission, static_cast<int>(Right::Change));
  EXPECT_EQ(entries[2].dialect, "b");
}

// A route without a permission does not compile, a router without a guard does not start.
static_assert(!std::is_default_constructible_v<Permission>);

TEST(RouterDeathTest, G7_1_RefusesATableThatContradictsItself) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(Router(nullptr), "guard");
  Router router(Router::open_to_all());
  router.mount("", {{Method::Get, "/x/{a}", kView, says("x")}});
  EXPECT_DEATH(router.mount("", {{Method::Get, "/x/{b}", kView, says("x")}}), "twice");
  EXPECT_DEATH(router.mount("", {{Method::Get, "/y", kView, nullptr}}), "handler");
  EXPECT_DEATH(router.mount("", {{Method::Get, "/{r*}/y", kView, says("x")}}), "bad");
}

}  // namespace
}  // namespace slipway::api::test
