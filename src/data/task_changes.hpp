#pragma once
#include "data/change.hpp"

/// Every way in which a task changes; each is one statement with its event. The state machine of DESIGN "Tasks and
/// workers" stands in these `where` clauses and nowhere else.
namespace al::data::task_changes {

Aggregate const& task();

// For clients. Keyed by task id.
Change const& create();
Change const& cancel();
Change const& retry();
Change const& set_priority();  ///< priority, expected version or NULL

// For workers. Keyed by task id and epoch: who lost the claim changes nothing.
Change const& claim();     ///< keyed by task id; worker, epoch before the claim
Change const& progress();  ///< note
Change const& complete();  ///< result, steps, ids of knowledge used
Change const& requeue();   ///< error, delay in microseconds, steps
Change const& fail();      ///< error, steps
Change const& release();

// For the sweep.
Change const& fail_overdue();  ///< epoch

}  // namespace al::data::task_changes
