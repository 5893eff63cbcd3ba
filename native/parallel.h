// Tasks shared among threads. What is computed does not depend on how many threads there are.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace firstsight {

// Call make_worker() once a thread, and the worker it gives, which owns that thread's scratch memory, with the number
// of each task from 0. The first exception stops all threads and is thrown here.
template <class MakeWorker>
void share(std::size_t n_tasks, int n_threads, MakeWorker make_worker) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failing;
    auto work = [&] {
        try {
            auto worker = make_worker();
            for (std::size_t task = next++; task < n_tasks; task = next++) worker(task);
        } catch (...) {
            next = n_tasks;
            std::lock_guard lock(failing);
            if (!failure) failure = std::current_exception();
        }
    };
    const std::size_t n_wanted = std::min<std::size_t>(n_tasks, static_cast<std::size_t>(std::max(1, n_threads)));
    std::vector<std::thread> helpers;
    try {
        while (helpers.size() + 1 < n_wanted) helpers.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads to be had: those there are do all tasks.
    }
    work();
    for (std::thread& helper : helpers) helper.join();
    if (failure) std::rethrow_exception(failure);
}

// Split n items into runs of `size` and call the workers as worker(begin, end).
template <class MakeWorker>
void share_runs(std::size_t n, std::size_t size, int n_threads, MakeWorker make_worker) {
    share((n + size - 1) / size, n_threads, [&] {
        return [n, size, worker = make_worker()](std::size_t task) mutable {
            worker(task * size, std::min(n, (task + 1) * size));
        };
    });
}

}  // namespace firstsight
