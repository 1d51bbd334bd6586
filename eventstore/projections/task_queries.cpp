// Questions about tasks. Which index leads is chosen here, not by the planner: it has no statistics
// (a rebuild would have to repeat them), and every index ends in created_seq, the order of lists.
#include <fmt/format.h>

#include <algorithm>

#include "eventstore/projections/query_connection.hpp"
#include "eventstore/projections/task_store.hpp"

namespace slipway::eventstore {

using domain::CommandKind;
using domain::TaskState;

namespace {

std::string columns_of(std::string_view prefix, std::string_view columns) {
  std::string out;
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t end = std::min(columns.find(", ", at), columns.size());
    fmt::format_to(std::back_inserter(out), "{}{}.{}", out.empty() ? "" : ", ", prefix,
                   columns.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

// What a tenant may see, and what the filter adds to whatever index leads.
Sql conditions(const Scope& scope, const TaskFilter& filter, const Sql& times) {
  Sql sql;
  if (!scope.everything()) sql.add(" AND tenant=?", scope.name());
  if (filter.tenant) sql.add(" AND tenant=?", *filter.tenant);
  sql.add(and_in("dialect", filter.dialects));
  return sql.add(times);
}

bool all_but_succeeded(const std::vector<TaskState>& states) {
  return !states.empty() &&
         std::find(states.begin(), states.end(), TaskState::Succeeded) == states.end();
}
bool all_but_the_usual(const std::vector<CommandKind>& commands) {
  return !commands.empty() && std::none_of(commands.begin(), commands.end(), [](CommandKind c) {
    return c == CommandKind::VmCreate || c == CommandKind::VmDelete;
  });
}

// The task acts on a VM with these labels.
Sql by_labels(const domain::Labels& labels, const Sql& rest) {
  Sql sql("SELECT r.task FROM (SELECT vm FROM vm_labels WHERE 1");
  const auto& [key, value] = *labels.begin();
  sql.add(" AND key=?", key).add(" AND value=?", value).add(") AS labelled");
  sql.add(
      " CROSS JOIN vms AS v ON v.created_seq=labelled.vm"
      " CROSS JOIN task_resources AS r ON r.resource=v.id"
      " WHERE 1");
  for (auto it = std::next(labels.begin()); it != labels.end(); ++it) {
    sql.add(" AND EXISTS(SELECT 1 FROM vm_labels WHERE key=?", it->first)
        .add(" AND value=?", it->second)
        .add(" AND vm=labelled.vm)");
  }
  return Sql("SELECT created_seq FROM tasks WHERE created_seq IN (").add(sql).add(")").add(rest);
}

std::vector<Sql> candidates(const Scope& scope, const TaskFilter& filter, const Sql& times) {
  const std::string states = and_in("state", filter.states);
  const std::string commands = and_in("command", filter.commands);
  Sql rest = conditions(scope, filter, times);
  Sql all = Sql(states).add(commands).add(rest);
  if (filter.batch) {
    return {Sql("SELECT created_seq FROM tasks INDEXED BY tasks_parent WHERE")
                .add(" parent=? AND redriven=0", *filter.batch)
                .add(all)};
  }
  if (filter.resource) {
    return {Sql("SELECT created_seq FROM tasks WHERE created_seq IN (SELECT task FROM "
                "task_resources WHERE")
                .add(" resource=?)", *filter.resource)
                .add(all)};
  }
  if (!filter.labels.empty()) return {by_labels(filter.labels, all)};
  std::vector<Sql> out;
  if (all_but_succeeded(filter.states)) {
    for (const TaskState state : filter.states) {
      out.push_back(Sql("SELECT created_seq FROM tasks INDEXED BY tasks_state WHERE state<>5")
                        .add(" AND state=?", state)
                        .add(commands)
                        .add(rest));
    }
    return out;
  }
  if (all_but_the_usual(filter.commands)) {
    for (const CommandKind command : filter.commands) {
      out.push_back(Sql("SELECT created_seq FROM tasks INDEXED BY tasks_command WHERE command>1")
                        .add(" AND command=?", command)
                        .add(states)
                        .add(rest));
    }
    return out;
  }
  const bool one_tenant = !scope.everything() || filter.tenant;
  return {Sql(one_tenant ? "SELECT created_seq FROM tasks INDEXED BY tasks_tenant WHERE 1"
                         : "SELECT created_seq FROM tasks NOT INDEXED WHERE 1")
              .add(all)};
}

}  // namespace

base::Result<Read<std::optional<TaskRow>>> Reader::get_task(const Scope& scope,
                                                            const domain::TaskId& id) {
  Read<std::optional<TaskRow>> answer;
  auto status = impl_->ask([&](domain::Seq seq) {
    answer.seq = seq;
    Sql sql(fmt::format("SELECT {} FROM tasks WHERE id=", kTaskColumns));
    sql.add("?", id);
    if (!scope.everything()) sql.add(" AND tenant=?", scope.name());
    Statement& select = impl_->prepare(sql);
    if (!select.step()) return;
    if (!read_task(select, impl_->parser, answer.value.emplace())) {
      impl_->db->set_error(11, "a task's document is damaged");
    }
  });
  if (!status) return base::fail(status.error());
  return answer;
}

base::Result<Page<TaskRow>> Reader::list_tasks(const Scope& scope, const TaskFilter& filter,
                                               const PageRequest& request) {
  Page<TaskRow> page;
  auto status = impl_->ask([&](domain::Seq seq) {
    const Sql times = impl_->time_range(filter.created_after, filter.created_before);
    const std::string columns = columns_of("tasks", kTaskColumns);
    const PageQuery query{columns, "tasks", candidates(scope, filter, times), request};
    Statement& select = impl_->prepare(page_sql(query));
    while (select.step()) {
      if (!read_task(select, impl_->parser, page.items.emplace_back())) {
        impl_->db->set_error(11, "a task's document is damaged");
      }
    }
    finish_page(page, request.limit, seq);
    if (request.count) set_total(page, impl_->number(count_sql(query), 0));
  });
  if (!status) return base::fail(status.error());
  return page;
}

base::Result<Page<TaskRow>> Reader::batch_items(const Scope& scope, const domain::TaskId& batch,
                                                const PageRequest& request) {
  Page<TaskRow> page;
  auto status = impl_->ask([&](domain::Seq seq) {
    Sql where;
    where.add(" FROM tasks INDEXED BY tasks_parent WHERE parent=?", batch).add(" AND redriven=0");
    if (!scope.everything()) where.add(" AND tenant=?", scope.name());
    if (request.count) {
      set_total(page, impl_->number(Sql("SELECT count(*)").add(where), 0));
    }
    Sql sql(fmt::format("SELECT {}", kTaskColumns));
    sql.add(where);
    if (request.after) sql.add(" AND item>?", *request.after);
    Statement& select = impl_->prepare(sql.add(" ORDER BY item LIMIT ?", request.limit + 1));
    while (select.step()) {
      if (!read_task(select, impl_->parser, page.items.emplace_back())) {
        impl_->db->set_error(11, "a task's document is damaged");
      }
    }
    finish_page(page, request.limit, seq);
    if (page.next) page.next = page.items.back().index;
  });
  if (!status) return base::fail(status.error());
  return page;
}

base::Result<Read<std::vector<domain::TaskId>>> Reader::task_ids(const Scope& scope,
                                                                 const TaskFilter& filter,
                                                                 std::size_t limit) {
  Read<std::vector<domain::TaskId>> answer;
  auto status = impl_->ask([&](domain::Seq seq) {
    answer.seq = seq;
    const Sql times = impl_->time_range(filter.created_after, filter.created_before);
    PageRequest request{.limit = limit, .ascending = true};
    const PageQuery query{"tasks.id", "tasks", candidates(scope, filter, times), request};
    Statement& select = impl_->prepare(page_sql(query));
    while (answer.value.size() < limit && select.step()) {
      answer.value.emplace_back(select.uuid(0));
    }
  });
  if (!status) return base::fail(status.error());
  return answer;
}

}  // namespace slipway::eventstore
