import type { ASTNode } from '@marcbachmann/cel-js'

/** A node and all below it, from left to right. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  // Not by recursion: `a + b + …` is as deep as it is long.
  const waiting = [node]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next
    waiting.push(...[...childrenOf(next.args)].toReversed())
  }
}

/** Whether the tree has more levels than these. */
export function isDeeperThan(node: ASTNode, levels: number): boolean {
  let row = [node]
  for (let level = 0; row.length > 0; level++) {
    if (level === levels) return true
    row = row.flatMap((one) => [...childrenOf(one.args)])
  }
  return false
}

/** The parts of a condition that must all be true. */
export function conjunctsOf(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjunctsOf) : [node]
}

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (isNode(args)) yield args
  else if (Array.isArray(args)) for (const item of args) yield* childrenOf(item)
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
