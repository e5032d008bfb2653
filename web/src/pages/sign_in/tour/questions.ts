/** Questions that the knowledge of the starter agents answers, also without a model. */
const questions: Record<string, string[]> = {
  security_expert: [
    "How do I prevent SQL injection?",
    "How should passwords be stored?",
    "How do I defend against server-side request forgery?",
  ],
  devops_engineer: [
    "Why does my pod keep restarting?",
    "How do I build small container images?",
    "Rolling, blue-green or canary: which deployment fits when?",
  ],
  developer: [
    "When do I rebase and when do I merge?",
    "How do I find the commit that broke a test?",
    "How do I write unit tests that stay useful?",
  ],
  system_architect: [
    "Monolith or microservices: how do I decide?",
    "How do I publish events reliably?",
    "How does a circuit breaker prevent cascading failure?",
  ],
  optimizer: [
    "How do I speed up a slow SQL query?",
    "How do I find the hot spot of a program?",
    "What is worth speeding up first?",
  ],
  data_scientist: [
    "How do I plan an A/B test?",
    "My scores are suspiciously good: is it data leakage?",
    "How do I learn when one class is rare?",
  ],
  reviewer: [
    "What should a reviewer check first?",
    "How do I write feedback that people can act on?",
    "How small should a pull request be?",
  ],
  writer: [
    "What belongs into a README?",
    "How do I write release notes for people?",
    "How do I write a good error message?",
  ],
  researcher: [
    "How strong is the evidence of a study?",
    "How do I tell correlation from cause?",
    "How do I judge whether a claim can be trusted?",
  ],
  blockchain_developer: [
    "How do I protect a contract from reentrancy?",
    "How do transaction fees work after EIP-1559?",
    "How do I read prices safely from an oracle?",
  ],
};

export const questionsFor = (agentId: string): string[] => questions[agentId] ?? [];

/** Agents that have questions first, in the order from above; the others after them as they are. */
export function withQuestionsFirst<A extends { id: string }>(agents: readonly A[]): A[] {
  const order = Object.keys(questions);
  const rank = ({ id }: A) => (order.indexOf(id) < 0 ? order.length : order.indexOf(id));
  return [...agents].sort((a, b) => rank(a) - rank(b));
}
