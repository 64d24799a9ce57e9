// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/metric_tables.h"

#include <array>

namespace ringway::internal {
namespace {

// True if the members of the table are different ones and, with `other_bytes`
// of members that are not metrics of it, the whole struct.
template <typename Stats, size_t kN>
constexpr bool Covers(const std::array<MemberMetric<Stats>, kN>& table,
                      size_t other_bytes) {
  constexpr size_t kDurationBytes =  // with what aligns the next member
      (sizeof(absl::Duration) + sizeof(uint64_t) - 1) / sizeof(uint64_t) *
      sizeof(uint64_t);
  size_t n_bytes = other_bytes;
  for (size_t i = 0; i < kN; ++i) {
    n_bytes += table[i].number != nullptr ? sizeof(uint64_t) : kDurationBytes;
    for (size_t j = 0; j < i; ++j) {
      if (table[i].number == table[j].number &&
          table[i].duration == table[j].duration) {
        return false;
      }
    }
  }
  return n_bytes == sizeof(Stats);
}

constexpr auto kWorkers = std::to_array<MemberMetric<WorkerCounters>>({
    {Total("ringway_connections_accepted_total",
           "Connections that were given to a handler."),
     &WorkerCounters::accepted},
    {Total("ringway_connections_accepted_late_total",
           "Of the accepted, those after the shutdown had begun."),
     &WorkerCounters::accepted_late},
    {Total("ringway_connections_cut_total",
           "Connections still open at the drain deadline, then cancelled; UDP "
           "handlers that drain, too."),
     &WorkerCounters::cut},
    {Total("ringway_connections_forced_total",
           "Of the cut, those that a cancel did not end."),
     &WorkerCounters::forced},
    {Total("ringway_accept_pauses_total",
           "Times that accepting stopped because of a limit."),
     &WorkerCounters::accept_pauses},
    {Total("ringway_connections_refused_total",
           "Connections that were closed at once: a limit was reached, or "
           "there was no memory."),
     &WorkerCounters::refused},
    {Total("ringway_connections_thrown_total",
           "Connection handlers that threw an exception."),
     &WorkerCounters::ended_throw},
    {Now("ringway_connections", "Connections that are being served."),
     &WorkerCounters::connections_now},
    {Now("ringway_connections_limit",
         "Most connections at a time (Builder::MaxConnections())."),
     &WorkerCounters::max_connections},
    {Now("ringway_tasks_limit",
         "Most tasks at a time (ExecutorOptions::max_tasks)."),
     &WorkerCounters::max_tasks},
    {Total("ringway_start_failures_total",
           "OnStart() handlers that failed or threw."),
     &WorkerCounters::start_failed},
    {Total("ringway_listeners_failed_total",
           "Listeners that ended because their socket became unusable, and UDP "
           "handlers that failed."),
     &WorkerCounters::listeners_failed},
});
static_assert(Covers(kWorkers, sizeof(WorkerCounters::ended_by_code)));

constexpr auto kTasks = std::to_array<MemberMetric<ExecutorStats>>({
    {Total("ringway_tasks_spawned_total", "Tasks that were spawned."),
     &ExecutorStats::tasks_spawned},
    {Total("ringway_tasks_refused_total",
           "Tasks that were refused for ExecutorOptions::max_tasks."),
     &ExecutorStats::tasks_refused},
    {Total("ringway_tasks_exceptions_total",
           "Exceptions of detached tasks and of the loop's own functions."),
     &ExecutorStats::detached_exceptions},
    {Now("ringway_tasks", "Tasks that are alive."),
     &ExecutorStats::tasks_alive},
    {Total("ringway_tasks_yields_total",
           "Times that YieldIfNeeded() yielded to other tasks."),
     &ExecutorStats::yields_needed},
    {Total("ringway_turn_overruns_total",
           "Turns in which tasks ran for longer than "
           "ExecutorOptions::overrun_budget."),
     &ExecutorStats::overruns},
    {NowIn("seconds", "ringway_turn_longest_seconds",
           "The longest time that tasks ran in one turn."),
     &ExecutorStats::longest_turn},
});
static_assert(Covers(kTasks, sizeof(ExecutorStats::frames) +
                                 sizeof(ExecutorStats::loop)));

constexpr auto kFrames = std::to_array<MemberMetric<FrameAllocator::Stats>>({
    {Now("ringway_frames", "Coroutine frames and other blocks in use."),
     &FrameAllocator::Stats::live},
    {Now("ringway_frames_peak", "The highest value of ringway_frames."),
     &FrameAllocator::Stats::peak},
    {Total("ringway_frames_allocated_total",
           "Blocks that were allocated, except those of the heap."),
     &FrameAllocator::Stats::allocations},
    {Total("ringway_frames_heap_total",
           "Blocks that were too large and came from the heap."),
     &FrameAllocator::Stats::heap_fallbacks},
    {Total("ringway_frames_remote_frees_total",
           "Blocks that other threads freed."),
     &FrameAllocator::Stats::remote_frees},
    {NowIn("bytes", "ringway_frames_memory_bytes",
           "Memory for blocks, in use or not."),
     &FrameAllocator::Stats::chunk_bytes},
});
static_assert(Covers(kFrames, 0));

constexpr auto kLoops = std::to_array<MemberMetric<LoopStats>>({
    {Total("ringway_loop_turns_total", "Turns of the loop."),
     &LoopStats::turns},
    {Total("ringway_loop_ready_run_total",
           "Ready entries that were run: continued tasks, ended operations."),
     &LoopStats::ready_run},
    {Total("ringway_loop_timers_fired_total", "Timers that fired."),
     &LoopStats::timers_fired},
    {Total("ringway_loop_messages_total",
           "Messages that were received from other threads."),
     &LoopStats::messages},
    {Total("ringway_loop_post_exceptions_total",
           "Exceptions of posted functions."),
     &LoopStats::post_exceptions},
    {Total("ringway_loop_budget_exhausted_total",
           "Turns that left ready entries to the next one "
           "(LoopOptions::ready_budget)."),
     &LoopStats::budget_exhausted},
    {Total("ringway_loop_spins_paid_total",
           "Spins that ended without blocking."),
     &LoopStats::spins_paid},
    {Total("ringway_loop_spins_unpaid_total",
           "Spins after which the loop blocked."),
     &LoopStats::spins_unpaid},
    {Now("ringway_loop_buffers_lent",
         "Receive buffers that tasks are reading."),
     &LoopStats::buffers_lent},
});
static_assert(Covers(kLoops, sizeof(LoopStats::backend)));

constexpr auto kBackends = std::to_array<MemberMetric<BackendStats>>({
    {Total("ringway_backend_operations_started_total",
           "Operations that were started."),
     &BackendStats::submitted},
    {Total("ringway_backend_operations_ended_total",
           "Operations that ended; a multishot one ends once."),
     &BackendStats::completed},
    {Total("ringway_backend_deliveries_total",
           "Deliveries of multishot operations and of zero-copy sends."),
     &BackendStats::deliveries},
    {Now("ringway_backend_operations_in_flight",
         "Operations that have not ended."),
     &BackendStats::in_flight},
    {Total("ringway_backend_system_calls_total",
           "System calls that submit or wait."),
     &BackendStats::system_calls},
    {Total("ringway_backend_waits_total", "Of these, those that could block."),
     &BackendStats::waits},
    {Total("ringway_backend_notifications_total",
           "Times that another thread woke the loop."),
     &BackendStats::notifications},
    {Total("ringway_backend_cancels_total", "Cancels of operations in flight."),
     &BackendStats::cancels},
    {Total("ringway_backend_rearms_total",
           "Multishot operations that were armed again."),
     &BackendStats::rearms},
    {Total("ringway_backend_rearms_without_buffer_total",
           "Times that a receive ended for lack of a receive buffer."),
     &BackendStats::buffer_starved},
    {Total("ringway_backend_deliveries_copied_total",
           "Deliveries that were copied because receive buffers were low."),
     &BackendStats::buffers_copied},
    {Total("ringway_backend_deliveries_own_memory_total",
           "Deliveries that were made when there were no receive buffers."),
     &BackendStats::own_memory},
    {Total("ringway_backend_deliveries_lost_total",
           "Deliveries that were closed or returned for lack of memory."),
     &BackendStats::deliveries_lost},
    {Total("ringway_backend_zero_copy_refused_total",
           "Zero-copy sends that had to be copied."),
     &BackendStats::zero_copy_refused},
    {Total("ringway_backend_direct_polling_refused_total",
           "Direct transfers that were not polled."),
     &BackendStats::direct_polling_refused},
    {Total("ringway_backend_offloaded_total",
           "Operations that a helper thread ran."),
     &BackendStats::offloaded},
});
// Sends are forsaken in the end of an executor, which no page can show.
static_assert(Covers(kBackends, sizeof(BackendStats::receive_memory) +
                                    sizeof(BackendStats::zero_copy_forsaken)));

constexpr auto kReceives = std::to_array<MemberMetric<ReceiveMemory>>({
    {NowIn("bytes", "ringway_receive_buffers_bytes",
           "Receive buffers in use or kept for the next use."),
     &ReceiveMemory::buffers},
    {NowIn("bytes", "ringway_receive_lent_bytes",
           "Of these, buffers in which a delivery is lent."),
     &ReceiveMemory::lent},
    {NowIn("bytes", "ringway_receive_copies_bytes",
           "Deliveries that were copied because buffers were low."),
     &ReceiveMemory::copies},
    {NowIn("bytes", "ringway_receive_own_bytes", "Memory of receives' own."),
     &ReceiveMemory::own},
    {NowIn("bytes", "ringway_receive_peak_bytes",
           "The highest sum of buffers, copies and own memory."),
     &ReceiveMemory::most},
});
static_assert(Covers(kReceives, 0));

constexpr auto kPools = std::to_array<MemberMetric<JobPoolStats>>({
    {Total("ringway_pool_jobs_started_total", "Jobs that were queued."),
     &JobPoolStats::started},
    {Total("ringway_pool_jobs_ended_total", "Jobs that have run."),
     &JobPoolStats::ended},
    {Total("ringway_pool_jobs_refused_total",
           "Jobs that were refused: the queue was full, or no thread could be "
           "started."),
     &JobPoolStats::refused},
    {Total("ringway_pool_jobs_withdrawn_total",
           "Jobs that were taken back before they began."),
     &JobPoolStats::withdrawn},
    {Total("ringway_pool_jobs_dropped_total",
           "Jobs that had not begun when the pool ended."),
     &JobPoolStats::dropped},
    {Now("ringway_pool_jobs_queued", "Jobs that wait for a thread."),
     &JobPoolStats::queued},
    {Now("ringway_pool_jobs_running", "Jobs that are running."),
     &JobPoolStats::running},
    {Now("ringway_pool_threads", "Threads of the pool."),
     &JobPoolStats::threads},
    {Now("ringway_pool_threads_idle", "Of these, threads that run no job."),
     &JobPoolStats::idle},
    {Now("ringway_pool_jobs_queued_peak",
         "The highest value of ringway_pool_jobs_queued."),
     &JobPoolStats::most_queued},
    {Now("ringway_pool_threads_peak",
         "The highest value of ringway_pool_threads."),
     &JobPoolStats::most_threads},
    {NowIn("seconds", "ringway_pool_wait_median_seconds",
           "How long half of the jobs waited for a thread at most."),
     &JobPoolStats::median_wait},
    {NowIn("seconds", "ringway_pool_wait_p99_seconds",
           "How long 99 of 100 jobs waited for a thread at most."),
     &JobPoolStats::p99_wait},
    {NowIn("seconds", "ringway_pool_wait_longest_seconds",
           "The longest that a job waited for a thread."),
     &JobPoolStats::longest_wait},
});
static_assert(Covers(kPools, 0));

constexpr auto kResolvers = std::to_array<MemberMetric<HostResolverStats>>({
    {Total("ringway_resolver_lookups_total", "Look-ups of hosts."),
     &HostResolverStats::asked},
    {Total("ringway_resolver_cache_hits_total",
           "Look-ups that were answered from the cache."),
     &HostResolverStats::from_cache},
    {Total("ringway_resolver_shared_total",
           "Look-ups that joined one in progress."),
     &HostResolverStats::shared},
    {Total("ringway_resolver_failures_total",
           "Look-ups that ended with an error."),
     &HostResolverStats::failed},
    {Total("ringway_resolver_refused_total",
           "Look-ups that were refused: the queue was full, or there were no "
           "threads."),
     &HostResolverStats::refused},
    {Total("ringway_resolver_cancelled_total",
           "Look-ups that did not wait for the end."),
     &HostResolverStats::cancelled},
    {Now("ringway_resolver_lookups_waiting", "Look-ups that wait."),
     &HostResolverStats::waiting},
    {Now("ringway_resolver_cached_hosts", "Hosts in the cache."),
     &HostResolverStats::cached},
});
static_assert(Covers(kResolvers, sizeof(HostResolverStats::pool)));

constexpr auto kTls = std::to_array<MemberMetric<net::TlsStatistics>>({
    {Total("ringway_tls_handshakes_total", "TLS handshakes that succeeded."),
     &net::TlsStatistics::handshakes_succeeded},
    {Total("ringway_tls_handshakes_tls12_total", "Of these, with TLS 1.2."),
     &net::TlsStatistics::tls12},
    {Total("ringway_tls_handshakes_tls13_total",
           "Of the succeeded, with TLS 1.3."),
     &net::TlsStatistics::tls13},
    {Total("ringway_tls_handshakes_aes128_gcm_total",
           "Of the succeeded, with AES-128-GCM."),
     &net::TlsStatistics::aes128_gcm},
    {Total("ringway_tls_handshakes_aes256_gcm_total",
           "Of the succeeded, with AES-256-GCM."),
     &net::TlsStatistics::aes256_gcm},
    {Total("ringway_tls_handshakes_chacha20_poly1305_total",
           "Of the succeeded, with ChaCha20-Poly1305."),
     &net::TlsStatistics::chacha20_poly1305},
    {Total("ringway_tls_handshakes_other_cipher_total",
           "Of the succeeded, with another cipher that the options allow."),
     &net::TlsStatistics::other_cipher},
    {Total("ringway_tls_handshakes_resumed_total",
           "Of the succeeded, those that resumed a session."),
     &net::TlsStatistics::resumed},
    {Total("ringway_tls_handshakes_kernel_total",
           "Of the succeeded, those after which the kernel encrypts "
           "(kernel_tls)."),
     &net::TlsStatistics::kernel_encrypts},
    {Total("ringway_tls_handshakes_kernel_refused_total",
           "Of the succeeded, those with kernel_tls after which it does not."),
     &net::TlsStatistics::kernel_refused},
    {Total("ringway_tls_handshakes_failed_total",
           "Handshakes that failed, but for the refused."),
     &net::TlsStatistics::handshakes_failed},
    {Total("ringway_tls_handshakes_unauthenticated_total",
           "Of the failed, those with a certificate that was not accepted."),
     &net::TlsStatistics::unauthenticated},
    {Total("ringway_tls_handshakes_timed_out_total",
           "Of the failed, those beyond handshake_timeout."),
     &net::TlsStatistics::timed_out},
    {Total("ringway_tls_handshakes_refused_total",
           "Handshakes that ended or did not begin as max_handshakes were "
           "in progress."),
     &net::TlsStatistics::handshakes_refused},
    {Total("ringway_tls_handshakes_offloaded_total",
           "Steps of handshakes that were made on the blocking pool."),
     &net::TlsStatistics::offloaded},
    {TotalIn("seconds", "ringway_tls_handshakes_seconds_total",
             "How long the succeeded took, together."),
     &net::TlsStatistics::handshake_time},
});
static_assert(Covers(kTls, 0));

constexpr auto kRegistry = std::to_array<MemberMetric<MetricRegistryStats>>({
    {Now("ringway_metrics", "Metrics of the program's own."),
     &MetricRegistryStats::metrics},
    {Now("ringway_metrics_label_sets", "Sets of labels of these."),
     &MetricRegistryStats::label_sets},
    {Total("ringway_metrics_refused_total",
           "Metrics that were refused for MetricLimits or kMostMetricCells."),
     &MetricRegistryStats::refused},
});
static_assert(Covers(kRegistry, 0));

constexpr auto kProcess = std::to_array<MemberMetric<ProcessStats>>({
    {TotalIn("seconds", "process_cpu_seconds_total",
             "Time of processors that the process has had."),
     &ProcessStats::cpu_time},
    {Now("process_open_fds", "Open file descriptors."),
     &ProcessStats::open_fds},
    {Now("process_max_fds", "Most open file descriptors (RLIMIT_NOFILE)."),
     &ProcessStats::max_fds},
    {NowIn("bytes", "process_virtual_memory_bytes", "Address space."),
     &ProcessStats::virtual_bytes},
    {NowIn("bytes", "process_resident_memory_bytes", "Memory that is present."),
     &ProcessStats::resident_bytes},
    {NowIn("seconds", "process_start_time_seconds",
           "When the process started, since the epoch."),
     &ProcessStats::started},
    {Now("process_threads", "Threads of the process."), &ProcessStats::threads},
});
static_assert(Covers(kProcess, 0));

constexpr std::array<HistogramMetric, 4> kHistograms = {{
    {Seconds("ringway_turn_seconds",
             "Turns of the loops, without the time that they wait."),
     &WorkerHistograms::turn},
    {Seconds("ringway_task_run_seconds",
             "How long tasks run until they suspend, in one turn of 64."),
     &WorkerHistograms::task_run},
    {Seconds("ringway_ready_delay_seconds",
             "From the begin of a turn until a task runs, in one turn of 64."),
     &WorkerHistograms::ready_delay},
    {Seconds("ringway_accept_delay_seconds",
             "From the accept of a connection to the call of its handler."),
     &WorkerHistograms::accept_to_handler},
}};
static_assert(sizeof(WorkerHistograms) ==
              kHistograms.size() * sizeof(Histogram));

template <typename Table>
void AddInfos(const Table& table, std::vector<MetricInfo>& to) {
  for (const auto& metric : table) to.push_back(metric.info);
}

}  // namespace

constinit const MetricTable<WorkerCounters> kWorkerMetrics = kWorkers;
constinit const MetricTable<ExecutorStats> kTaskMetrics = kTasks;
constinit const MetricTable<FrameAllocator::Stats> kFrameMetrics = kFrames;
constinit const MetricTable<LoopStats> kLoopMetrics = kLoops;
constinit const MetricTable<BackendStats> kBackendMetrics = kBackends;
constinit const MetricTable<ReceiveMemory> kReceiveMetrics = kReceives;
constinit const MetricTable<JobPoolStats> kPoolMetrics = kPools;
constinit const MetricTable<HostResolverStats> kResolverMetrics = kResolvers;
constinit const MetricTable<net::TlsStatistics> kTlsMetrics = kTls;
constinit const MetricTable<MetricRegistryStats> kRegistryMetrics = kRegistry;
constinit const MetricTable<ProcessStats> kProcessMetrics = kProcess;
constinit const std::span<const HistogramMetric> kHistogramMetrics =
    kHistograms;

std::vector<MetricSection> RuntimeMetricSections() {
  std::vector<MetricSection> sections = {
      {"Workers and connections", "worker", {kWorkerUp, kWorkerInfo}},
      {"Tasks", "worker", {}},
      {"Frames", "worker", {}},
      {"Loops", "worker", {}},
      {"Backends", "worker", {}},
      {"Receive memory", "worker", {}},
      {"Histograms", "", {}},
      {"Pools", "pool", {}},
      {"Resolver", "", {}},
      {"TLS", "context", {}},
      {"The program's own metrics", "", {}},
      {"The process", "", {}},
  };
  AddInfos(kWorkers, sections[0].metrics);
  sections[0].metrics.push_back(kEndedByCode);
  AddInfos(kTasks, sections[1].metrics);
  AddInfos(kFrames, sections[2].metrics);
  AddInfos(kLoops, sections[3].metrics);
  AddInfos(kBackends, sections[4].metrics);
  AddInfos(kReceives, sections[5].metrics);
  AddInfos(kHistograms, sections[6].metrics);
  AddInfos(kPools, sections[7].metrics);
  AddInfos(kResolvers, sections[8].metrics);
  AddInfos(kTls, sections[9].metrics);
  AddInfos(kRegistry, sections[10].metrics);
  AddInfos(kProcess, sections[11].metrics);
  return sections;
}

}  // namespace ringway::internal
