/** Every default in one place, each with its reason. A declaration may take any of them over. */
export const defaults = {
  cache: {
    /** Entries in memory for the whole instance: some tens of megabytes of ordinary values; never unbounded. */
    maxEntries: 10_000,
    /** A scan or a crawler then flushes nothing; where recency is all, its window grows to the whole. */
    eviction: "lfu",
    /** Entries stored together must not expire together; up to a tenth shorter spreads a minute's keys over 6 s. */
    jitter: 0.1,
    /** A load that takes longer has lost its callers; it is aborted. */
    hardDeadlineMs: 30_000,
    /** XFetch's own default, proven optimal: a load begins about as early as it takes. */
    beta: 1,
    /** A failing source is asked once a second for a key, not once a caller. */
    backOffMs: 1_000,
  },
  writeBehind: {
    /** How long a write waits for company before it is sent: newer values of its key, and other keys. */
    gatherMs: 100,
    /** One call of the source: its cost is shared by so many, and a failing one is narrowed down in seven more. */
    batch: 100,
    /** Writes that one transaction of the journal takes: some tens of milliseconds of the loop at the worst. */
    appendBatch: 500,
    /** Keys whose write has not arrived: minutes of an ordinary load, and a journal of some megabytes. */
    most: 10_000,
    /** How long a write waits for room: as long as a person waits for a page. */
    roomMs: 5_000,
    /** Other processes make room too, and nobody tells. */
    roomLookMs: 100,
    /** A crashed process's writes are taken over after so long; renewed at a third. */
    leaseMs: 5_000,
    /** How often each process looks for writes that others left behind. */
    lookMs: 1_000,
    /** Pauses double from the least. The source itself is asked every 5 s at least: who writes behind wants it back soon. */
    pauseMs: { least: 200, most: 60_000, mostOfSource: 5_000 },
    /** A write that failed so often alone, while others arrived, is dead: 200 ms doubled nine times is about two minutes. */
    attempts: 10,
    /** One that fails while nothing else arrives may be a source that is away: then a day decides. */
    failingMs: 86_400_000,
    /** Dead writes hold data that nobody asked for in a month. */
    deadKeptMs: 30 * 86_400_000,
    deadListed: 1_000,
  },
  operation: {
    /** Long enough for a garbage collection or a slow disk, short enough that a crash is not felt for minutes. */
    leaseMs: 30_000,
    /** Renewed at a third of the lease, so that two renewals may be lost. */
    renewAt: 1 / 3,
    /** How often progress is written: often enough to be watched, seldom enough to cost nothing. */
    reportEveryMs: 1_000,
    /** An effect that has not answered by then is unknown. */
    effectDeadlineMs: 20_000,
    /** Another operation that a run calls may have effects and waits of its own: the lease tells when to stop waiting. */
    callDeadlineMs: 86_400_000,
    /** A lost answer that nobody resumes becomes a person's after an hour. */
    abandonAfterMs: 3_600_000,
    /** A kept outcome larger than this belongs elsewhere, with a reference here. */
    outcomeLimitBytes: 65_536,
    /** An anchor keeps so much longer what is held against its retention: clocks differ, and a rerun may be under way. */
    anchorMarginMs: 3_600_000,
    /** How often an unanswered question to the other side is asked before the work is parked, and the pauses between. */
    askPausesMs: [200, 1_000],
    /** Work that was resumed so often without an end is poisoned: it is parked with its last error. */
    resumeAttempts: 10,
  },
  load: {
    /** As an operation's: a crash is not felt for minutes, and a window may take longer, for it is renewed meanwhile. */
    leaseMs: 30_000,
    /** A window takes seconds; one that takes so long waits for a lock that nobody lets go. */
    windowMs: 30 * 60_000,
    /** One statement over everything may be a night's work. */
    wholeMs: 12 * 3_600_000,
    /** Other loads of the table in the way, or a server that fails over: pauses double from the least, a minute in all. */
    attempts: 10,
    /** What may stay as it is for ever: a row that meets one of another identity, a table that was altered meanwhile. */
    fewAttempts: 3,
    pauseMs: { least: 50, most: 15_000 },
    /** Decades of days; more are a mistake, such as a date of the year 9999. */
    mostWindows: 10_000,
    /** A smaller source costs less in one statement than in some windows. */
    windowsWorthwhile: 4,
    /** Which run wrote what is asked within a month. */
    keptMs: 30 * 86_400_000,
    sweepBatch: 1_000,
    page: 500,
    /** Keys that a person looks at one by one. */
    listed: 50,
    runsListed: 20,
  },
  consume: {
    /** What a pool of sixteen connections is busy with; more gains nothing once a database is in it. */
    atOnce: 64,
    mostAtOnce: 10_000,
    /** Of messages that are ready at the same moment, where nobody has asked for anything else. */
    batch: {
      /** More would hold their rows' locks longer. */
      most: 16,
      /** Of shared transactions. */
      atOnce: 4,
      /**
       * What takes more than twice as long as one by itself does not pay, for a pool runs more than ten of those meanwhile. Not
       * judged below what a database under load needs. Also the longest wait for those before, up to `wait`.
       */
      longestMs: { least: 20, ofAlone: 2, wait: 100 },
      /** So many go singly after one that did not pay, and at most: a try among thousands costs nothing that could be seen. */
      singly: { least: 32, most: 4_096 },
    },
    /** Beside those at work as many may wait: for their next attempt, or for whoever is at their work. */
    heldPerAtOnce: 2,
    /** A source that leaves its listeners on a signal keeps no more of them than this. */
    pullsPerSignal: 1_000,
    /** Of those at once, so many wait for others' work where the broker could keep them. */
    waitingShare: 0.1,
    attempts: 5,
    mostAttempts: 1_000,
    retryIn: ["1s", "10s", "1m"],
    /** Whoever finds another at its work asks again no sooner, and no later, whatever is left of that one's lease. */
    soonestMs: 100,
    lookAgainMs: 1_000,
    /** A crash in which a message had a part comes within seconds of its beginning. */
    aloneMs: 10_000,
    /** A ledger, or a broker, that does not answer is asked again after pauses that double. */
    awayMs: { least: 500, most: 15_000 },
    openMs: 20_000,
    /** A connection that was cut tells nobody: so long a settlement is waited for, then it is taken for lost. */
    settleMs: 8_000,
    /** A broker that flickers is spoken of once a minute. */
    warnEveryMs: 60_000,
    /** Clocks of publishers and brokers differ by less. */
    aheadMs: 86_400_000,
    /** A message that nobody counted for so long is delivered again by no broker that is in order. */
    keptMs: 30 * 86_400_000,
    sweepEveryMs: 3_600_000,
    sweepBatch: 1_000,
    /** Dead letters that one call acts upon, and that it looks through for those that are meant: a broker that cannot browse hands all of them over. */
    letters: 1_000,
    lettersLooked: 10_000,
    /** Those that a broker hands over one by one are acted upon after so long; where none of them is meant, it looks further for at most so long. */
    listMs: 10_000,
    lookMs: 60_000,
    /** Of why a message was set aside, in characters: a header of it fits what every broker takes. */
    whyLength: 1_000,
    /** A broker is asked how much there is as often as the journal writes it down. */
    standingEveryMs: 10_000,
  },
  outbox: {
    /** Of one message: what SQS and Service Bus take as one, 256 KiB, leaves room for its id and what a client adds. */
    limitBytes: 196_608,
    /** A crashed process's messages wait so long; renewed at a third. */
    leaseMs: 10_000,
    /** How often the other instances look whether the lease is free: it may have been given back. */
    takeOverMs: 2_000,
    /** One answer of the broker for so many; sent again as a whole where it is lost. */
    batch: 100,
    /**
     * A look is one read by an index. The least is soon after a commit of the same process; the most is what one of another
     * process waits for at worst, and an idle outbox costs its database.
     */
    lookMs: { least: 20, most: 1_000 },
    /** Pauses after a failure double: a broker that restarts is back within them. */
    awayMs: { least: 500, most: 15_000 },
    openMs: 20_000,
    /** A broker that has not confirmed a batch by then will not. */
    sendMs: 15_000,
    closeMs: 2_000,
    /** What is set aside is counted so far: whoever sees so many looks at them. */
    mostCounted: 100,
    /** A ledger is asked what waits as often as the journal writes it down, and its answer is one of then or none. */
    standingEveryMs: 10_000,
    standingMs: 5_000,
  },
  functions: {
    /** Before the platform ends an invocation: to store, to answer and to be logged. */
    marginMs: 500,
    /** With less time left nothing is begun: the next invocation has all of its time. */
    leastMs: 1_000,
    /** A gateway before a function waits 29 s: whoever waits inside is answered before. */
    httpWaitMs: 20_000,
    /** Of a batch, which has a function's memory and one pool of connections to itself. */
    atOnce: 10,
    /**
     * Whoever waits for another's work answers within 300 ms of its end, on a busy machine too, and reads at most four times
     * what ends within 550 ms, or about when it is said to.
     */
    look: { leastMs: 150, marginMs: 25, growth: 1 / 4, longestMs: 5_000 },
  },
  schedule: {
    /** Of the lease on a schedule: as a run's, so that a crash is not felt for longer than one of those. */
    leaseMs: 30_000,
    /** What may not run late at all may still start by then: a deployment, or a long pause of the process, is no outage. */
    graceMs: 60_000,
    /** Ticks that a schedule remembers: two days of a quarter of an hour, and a register of some tens of kilobytes. */
    keptTicks: 200,
    /** Missed ticks are written one by one up to so many; beyond that as one entry, so that they push no other out. */
    listedMissed: 50,
    /** Ticks that one look goes through: a tenth of a second of the loop at the worst. */
    lookedThrough: 1_000,
    /** Records of a work list that run at once: a slow one holds nobody up, and no other side is flooded. */
    atOnce: 4,
    /** A failed tick is tried again after these, as long as the next one is not due: for a blink of the other side. */
    retryPausesMs: [1_000, 10_000],
    /** How soon an instance looks again that came before the holder had written down what it runs. */
    lookMs: 250,
    /** How often a holder looks whether somebody asks it to stop. */
    stopLookMs: 1_000,
    /** Pauses while the store is away, doubled from the least. */
    awayMs: { least: 1_000, most: 10_000 },
    /** How long before a tick an instance looks once more: pools close what is idle for ten seconds. */
    aheadMs: { least: 1_000, most: 4_000 },
    /** The own clocks went apart by so much: the machine slept, or its time was set, and the distance is found anew. */
    clockStepMs: 1_000,
    /** How long the distance to the store's clock is believed: quartz drifts by some tens of milliseconds in it. */
    clockMs: 3_600_000,
    /** Records of the work list whose own outcome is running elsewhere are asked about again so often. */
    recordLookMs: { least: 250, most: 1_000 },
  },
  /** Pauses of the background work; each is stopped by close. */
  background: {
    completeEveryMs: 2_000,
    /** Resumed and background runs at once in an instance: so that one that hangs holds nobody up and a backlog does not flood. */
    workers: 8,
    /** How long whoever asked for work waits until a broker has it. It is accepted by then, and is run without the broker. */
    announceMs: 5_000,
    sweepEveryMs: 60_000,
    sweepBatch: 500,
    /** Entries that one look for expired ones takes: a fraction of a millisecond of the loop. */
    expireBatch: 1_000,
    expireEveryMs: 1_000,
    /** The pause where more than a tenth of the last batch had expired. */
    expireAgainMs: 20,
    journalFineMs: 10_000,
    journalCoarseMs: 300_000,
    journalFineKeptMs: 3_600_000,
    journalCoarseKeptMs: 14 * 86_400_000,
  },
  workingSet: {
    /** The least sample that told every trace within a point on average, loops too; a third cheaper than one of 8,192. */
    sampledKeys: 2_048,
    /** A small set of keys is told well enough by a quarter of it, and most of its hits stay cheap. */
    sampledShare: 1 / 4,
    /** Two of them are told: a working day's part, so that last night's batch does not size the morning's memory. */
    windowMs: 7_200_000,
    /** With fewer reads most are a key's first, which no memory answers: a curve of them would size memory by its start. */
    readsNeeded: 1_000,
    /** Less than an hour of a person a month is not worth a change that a person makes, tells and watches. */
    worthHours: 1,
    /** In US dollars, near the list prices of large clouds in 2025; whoever has a bill of their own states it. */
    prices: {
      /** Memory of a container, billed apart from its processors: about 0.0044 an hour. */
      gbMonth: 3.2,
      /** A million requests to a managed relational database's storage. Reads that compute cost more. */
      millionMisses: 0.2,
      /** Traffic between zones is billed on both sides, 0.01 each. */
      crossZoneGb: 0.02,
      /** What an hour of an engineer costs an employer. */
      personHour: 75,
    },
    /** Where a trace does not tell: an ordinary service, and an ordinary answer. Both are said beside the bill. */
    readsPerSecond: 100,
    entryBytes: 1_024,
  },
  lease: {
    /** Whoever held a lease waits so long for the store to take it back; then it ends by itself. */
    releaseMs: 2_000,
  },
  /** How long close waits for what is under way before it aborts it. */
  drainMs: 10_000,
  /** How long close waits after it has aborted what was under way. */
  abortMs: 1_000,
  /** A ledger that has not opened by then is away. */
  openMs: 15_000,
  /** An index over a billion rows takes tens of minutes; whoever migrates sees that it goes on. */
  migrateMs: 6 * 3_600_000,
  http: {
    /** As Stripe and most gateways bound it. */
    keyMaxLength: 255,
    /** A booking, not an upload. */
    bodyLimitBytes: 1_048_576,
    /** When to ask how background work stands: it waits for a worker's turn, which is a second or two. */
    statusAfterMs: 1_000,
  },
  page: {
    /** 128 bits written in hexadecimal digits, as `openssl rand -hex 16` makes them: nobody guesses one. */
    tokenMinLength: 32,
    /** A ledger's own deadlines come first; whoever decided waits no longer for it. */
    decideMs: 15_000,
    /** Whoever only looks is told sooner that the ledger does not answer: the page stands still meanwhile. */
    lookMs: 4_000,
  },
  client: {
    /** All attempts together: a restarted server is back by then, and a person still waits. */
    deadlineMs: 120_000,
    /** Longer than the longest effect of a server's run, so that its answer is not cut off and asked for again. */
    attemptMs: 30_000,
    /** Pauses are drawn between nothing and so much, doubled for each attempt. */
    pauseMs: { least: 200, most: 10_000 },
  },
  cli: {
    /** An application that takes longer to import waits for something that a command must not wait for. */
    importMs: 20_000,
    /** How long an imported module may clean up before its process is killed. */
    endMs: 2_000,
    /** Some questions of a catalogue; a server that takes longer is away. */
    compareMs: 60_000,
    /** How often a terminal's line is written over, and how often a log gets one. */
    progress: { drawEveryMs: 250, tellEveryMs: 10_000 },
    /** What fits on a screen. */
    runsListed: 20,
    ticksListed: 20,
    lettersListed: 20,
  },
  ledger: {
    /** When to ask again where no lease bounds the wait. */
    unboundedRetryMs: 1_000,
    /** A claim keeps so much more than asked, so that completion seldom has to move the index. */
    keepAhead: 1.01,
    /** Less than a pool's own wait: what whoever waits for the opening gives back lets it open. */
    joinMs: 2_000,
  },
  audit: {
    /** Whoever clicked twice did so within it, and few mean the same again so soon. */
    withinMs: 600_000,
    /** Of a large table that is read whole; more would hold back its vacuum. */
    tableMs: 300_000,
    /** What a person looks at one by one. */
    listed: 50,
    /** A page is some hundred kilobytes, which a loaded server too reads within a ledger's deadline. */
    page: 5_000,
    /** Whoever waits longer wonders whether it still reads. */
    tellEveryMs: 2_000,
  },
  inspect: {
    /** Whoever looks at a database for the first time waits for it; a table of some millions is counted by then. */
    deadlineMs: 30_000,
  },
  sqlite: {
    /** Longer than any transaction should be; then the caller is told to repeat. */
    busyMs: 5_000,
  },
  redis: {
    /** Longer than a failover usually takes; then the caller is told to repeat. */
    deadlineMs: 5_000,
  },
  postgres: {
    /** A server that has not answered a statement of the ledger's by then is away; nobody waits longer for a page. */
    answerMs: 5_000,
    /** A statement of the work may be a report. */
    workMs: 30_000,
    /** A transaction that idles longer belongs to a process that hangs; its locks would make every retry wait. */
    idleMs: 60_000,
    /** Two transactions that meet seldom meet twice; after ten times something else is wrong. */
    conflicts: { attempts: 10, longestPauseMs: 50 },
  },
  blobs: {
    /** Some hundred megabytes over an ordinary line, with the repetitions that a client makes by itself. */
    deadlineMs: 30_000,
    /** Whoever replaces a file holds its slot for milliseconds: for so long only if it was killed, or is paused. */
    slotMs: 1_000,
    /** How often somebody who waits for a slot looks. */
    slotLookMs: 5,
    /** A file takes seconds to write. One that is older and unfinished was left by a kill. */
    leftoverMs: 3_600_000,
  },
  azure: {
    /** What an acquisition takes together: less than the shortest lease, so that none ends before it is told. */
    leaseDeadlineMs: 5_000,
  },
  items: {
    /** What one call of the ledger takes in all, its requests and the client's own repetitions together. */
    deadlineMs: 10_000,
    /** So far apart the clocks of one service's servers are at the most: they keep them by a common time. */
    serversApartMs: 1_000,
    /** Documents of this process's own attempts, so that most of their writes need no read; any may be forgotten. */
    heldDocuments: 1_000,
    /** What an attempt ended with is told of the newest: a document has its limit. */
    attemptsKept: 100,
    /** Parts of the list of what somebody may have to come for: each takes some hundreds of writes a second. */
    dueParts: 4,
    /** What waits for a person is looked at again so seldom; whoever decides brings it forward. */
    parkedLookMs: 3_600_000,
    /** An entry of the list whose work is not there may be of a claim under way for so long. */
    dueGraceMs: 600_000,
    /** Whoever finds a key that another call is about to take looks again so often, which is some requests' time, and then takes it. */
    keyLooks: 10,
    keyLookMs: 25,
    /** Documents that a look at all of them reads: what lies beyond is not told. */
    lookedThrough: 10_000,
    /** Of the successes with one intent: a second one comes soon after the first. */
    intentsLooked: 100,
    /** Pages that one sweep reads, whatever it finds in them; the next one goes on from there. */
    sweepPages: 20,
    page: 500,
    /** Reads of one call under way at once. */
    atOnce: 16,
  },
  mysql: {
    /** A pool that has nothing free for so long is too small, or its users have died. */
    waitMs: 5_000,
    /** Two of them fit into a lease's life, so that a renewal on a dead connection leaves time for another. */
    deadlineMs: 10_000,
  },
} as const;
