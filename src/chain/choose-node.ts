/** How far a node may be trusted, best first. A node that is `behind` or `away` decides nothing while another one is better. */
const standings = ['fit', 'failing', 'catching-up', 'behind', 'away'] as const;

export type Standing = (typeof standings)[number];

/** So many epochs behind the highest head a node is `behind`; one or two are the time that a block takes to all nodes. */
const BEHIND_EPOCHS = 3;

export interface NodeFacts {
  readonly isConnected: boolean;
  /** Of the newest head it told of, on whichever connection; undefined when it never told of one. */
  readonly height: number | undefined;
  readonly isCatchingUp: boolean;
  /** It left a call unanswered lately, or its heads. */
  readonly isFailing: boolean;
}

/** @param highest the highest head that any node told of lately */
export function standingOf(node: NodeFacts, highest: number | undefined): Standing {
  if (!node.isConnected) return 'away';
  if (highest !== undefined && node.height !== undefined && node.height <= highest - BEHIND_EPOCHS) return 'behind';
  if (node.isCatchingUp) return 'catching-up';
  return node.isFailing ? 'failing' : 'fit';
}

/** Indexes of the nodes, the one to use first. The one in use stays while none is in a better standing; else the order counts. */
export function inOrderOfUse(nodes: readonly Standing[], inUse: number | undefined): number[] {
  const place = (index: number) => standings.indexOf(nodes[index] ?? 'away') * 2 + (index === inUse ? 0 : 1);
  return nodes.map((_, index) => index).sort((left, right) => place(left) - place(right) || left - right);
}
