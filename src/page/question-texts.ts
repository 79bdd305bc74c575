/** The questions that production systems get wrong by default: 1 to 10 for caches, A to E for operations. */
export const questionTexts = {
  "1": { name: "Pattern", question: "What consistency does each cache need, and which pattern gives it?" },
  "2": { name: "Invalidation", question: "Who owns invalidation, and is there one strategy?" },
  "3": { name: "Stampede", question: "What does the database see if the hottest key expires now?" },
  "4": { name: "Never cached", question: "What is the worst outcome of serving this 60 s late?" },
  "5": { name: "Eviction", question: "What is protected and what goes when memory is full?" },
  "8": { name: "Security", question: "Could a response reach the wrong user?" },
  "9": { name: "Measuring", question: "Can you see hits, misses and evictions now?" },
  "10": { name: "Cost", question: "Is the size from a working set or from a guess?" },
  A: { name: "HTTP", question: "If the client sends this again, what happens?" },
  B: { name: "SQL job", question: "If tonight's load runs twice, is the table the same?" },
  C: { name: "Schedule", question: "If two runs overlap, who walks away?" },
  D: { name: "Consumer", question: "If the broker delivers this again, what happens?" },
} as const;

export type Questioned = keyof typeof questionTexts;
