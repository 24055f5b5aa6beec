import CCurl
import Glibc
import Shared

/// The thread behind a `RESTClient`: it alone touches libcurl's multi handle and the transfers in it.
final class RESTDriver: @unchecked Sendable {
    private enum Command {
        case start(RESTTransfer)
        case cancel(RESTTransfer)
    }

    /// Longest sleep; keeps a timer that libcurl forgot from hanging a request.
    private static let sleepMaxMilliseconds: Int32 = 1_000
    /// Handles kept for the next requests.
    private static let idleHandleCountMax = 8
    /// Connections kept open for the next requests.
    private static let keptConnectionCountMax = 16
    /// A thread that was woken so long ago and has not looked is stuck.
    private static let answerTimeMax = Duration.seconds(5)
    private static let wedgedSleepMicroseconds: UInt32 = 10_000

    private let options: RESTClient.Options
    private let lock = Mutex()

    // Guarded by `lock`.
    private var commands: [Command] = []
    private var requestCount = 0
    private var isStopping = false
    private var isWedged = false
    /// Since when the thread has been asked whether it lives; nil when it has answered.
    private var askedSince: Instant?
    /// Guarded by `lock`: nil once the multi handle is gone, so that nobody wakes it any more.
    private var multi: Curl.Handle?
    private var thread: WorkerThread?

    // The thread's own.
    private var transfers: [Curl.Handle: RESTTransfer] = [:]
    private var idleHandles: [Curl.Handle] = []

    init(options: RESTClient.Options) throws(SystemError) {
        self.options = options
        let multi = Curl.makeMulti()
        self.multi = multi
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.keptConnectionCountMax)
        do throws(SystemError) {
            self.thread = try WorkerThread { self.run() }
        } catch {
            curl_multi_cleanup(multi)
            throw error
        }
    }

    // MARK: From any thread

    func start(_ transfer: RESTTransfer) {
        self.lock.lock()
        let refusal: RESTError.Reason? =
            self.isStopping ? .stopped : self.requestCount >= self.options.requestCountMax ? .tooManyRequests : nil
        if refusal == nil {
            self.requestCount += 1
            self.post(.start(transfer))
        }
        self.lock.unlock()
        if let refusal { transfer.fail(refusal) }
    }

    func cancel(_ transfer: RESTTransfer) {
        self.lock.lock()
        self.post(.cancel(transfer))
        self.lock.unlock()
    }

    func stop() {
        self.lock.lock()
        self.isStopping = true
        let thread = self.thread
        self.thread = nil
        if let multi = self.multi { curl_multi_wakeup(multi) }
        self.lock.unlock()
        thread?.join()
    }

    /// Whether the thread answers when it is woken. Each call asks it anew, so that an idle thread has something to answer.
    func isAdvancing(now: Instant) -> Bool {
        self.lock.lock()
        defer { self.lock.unlock() }
        guard let multi = self.multi, !self.isStopping else { return true }
        if let since = self.askedSince { return now - since <= Self.answerTimeMax }
        self.askedSince = now
        curl_multi_wakeup(multi)
        return true
    }

    /// Makes the thread stand still until `stop()`.
    func wedgeForDrill() {
        self.lock.lock()
        defer { self.lock.unlock() }
        self.isWedged = true
    }

    /// With the lock held: a wakeup of a handle that is being cleaned up would touch freed memory.
    private func post(_ command: Command) {
        guard let multi = self.multi else { return }
        self.commands.append(command)
        curl_multi_wakeup(multi)
    }

    // MARK: The thread

    private func run() {
        self.lock.lock()
        let handle = self.multi
        self.lock.unlock()
        guard let multi = handle else { return }
        while true {
            self.lock.lock()
            while self.isWedged && !self.isStopping {
                self.lock.unlock()
                usleep(Self.wedgedSleepMicroseconds)
                self.lock.lock()
            }
            self.askedSince = nil
            let commands = self.commands
            self.commands.removeAll(keepingCapacity: true)
            let isStopping = self.isStopping
            self.lock.unlock()
            for command in commands { self.perform(command, multi) }
            if isStopping { break }
            var runningCount: Int32 = 0
            curl_multi_perform(multi, &runningCount)
            self.finishTransfers(multi)
            curl_multi_poll(multi, nil, 0, Self.sleepMaxMilliseconds, nil)
        }
        for (handle, transfer) in self.transfers {
            curl_multi_remove_handle(multi, handle)
            curl_easy_cleanup(handle)
            transfer.fail(.stopped)
        }
        self.transfers.removeAll()
        for handle in self.idleHandles { curl_easy_cleanup(handle) }
        self.idleHandles.removeAll()
        self.lock.lock()
        self.multi = nil
        self.lock.unlock()
        curl_multi_cleanup(multi)
    }

    private func perform(_ command: Command, _ multi: Curl.Handle) {
        switch command {
        case .start(let transfer):
            guard !transfer.isCancelled else {
                self.forget()
                return transfer.fail(.cancelled)
            }
            let handle = self.idleHandles.popLast() ?? Curl.makeHandle()
            transfer.begin(on: handle, options: self.options)
            self.transfers[handle] = transfer
            curl_multi_add_handle(multi, handle)
        case .cancel(let transfer):
            guard let handle = transfer.handle else {
                // Either not begun yet, or finished: then the mark means nothing.
                transfer.isCancelled = true
                return
            }
            self.forget()
            self.release(handle, multi)
            transfer.fail(.cancelled)
        }
    }

    private func finishTransfers(_ multi: Curl.Handle) {
        var waitingCount: Int32 = 0
        while let message = curl_multi_info_read(multi, &waitingCount)?.pointee {
            guard message.msg == CURLMSG_DONE, let handle = message.easy_handle else { continue }
            let code = message.data.result
            guard let transfer = self.transfers[handle] else { continue }
            // Counted out before its caller goes on, who may ask again at once; reset only after it was read.
            self.forget()
            transfer.finish(code)
            self.release(handle, multi)
        }
    }

    private func release(_ handle: Curl.Handle, _ multi: Curl.Handle) {
        curl_multi_remove_handle(multi, handle)
        self.transfers[handle] = nil
        if self.idleHandles.count < Self.idleHandleCountMax {
            curl_easy_reset(handle)
            Curl.applyCommonOptions(handle)
            self.idleHandles.append(handle)
        } else {
            curl_easy_cleanup(handle)
        }
    }

    private func forget() {
        self.lock.lock()
        self.requestCount -= 1
        self.lock.unlock()
    }
}
