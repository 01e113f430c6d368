import { type Alias, isCollection, type Node } from 'yaml'
import { error, type Finding } from '../telling/finding.ts'

/** An honest file of a thousand tenants stays far below; a bomb of nested aliases passes it at once. */
const MOST_COPIES = 100_000

/** The anchors met so far, and a guard against aliases that never end. */
export class Anchors {
  private readonly nodes = new Map<string, Node>()
  private readonly open = new Set<Node>()
  private copies = 0

  /** Runs `read` on a node; aliases inside to the node itself are refused meanwhile. */
  within<T>(node: Node, read: () => T): T {
    if ('anchor' in node && typeof node.anchor === 'string') this.nodes.set(node.anchor, node)
    if (!isCollection(node)) return read()
    this.open.add(node)
    try {
      return read()
    } finally {
      this.open.delete(node)
    }
  }

  /** What the alias stands for. Its name is not repeated: it may be an unquoted secret that starts with `*`. */
  resolve(alias: Alias, offset: number): Node | Finding {
    const node = this.nodes.get(alias.source)
    if (node === undefined) {
      const message = 'an alias (`*…`) to an anchor that is not defined above it'
      return error('unknown_alias', offset, message, 'put a text that starts with `*` in quotes')
    }
    if (this.open.has(node)) {
      return error('yaml_too_complex', offset, 'an alias inside the value that it stands for')
    }
    return node
  }

  /** Counts a value that is read through an alias; true when there have been too many. */
  countCopy(): boolean {
    this.copies += 1
    return this.copies > MOST_COPIES
  }
}
