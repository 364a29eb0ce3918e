/** How far a node may be trusted, best first. */
const standings = ['fit', 'failing', 'catching-up', 'ahead', 'behind', 'away'] as const;

export type Standing = (typeof standings)[number];

/** So many epochs behind the highest head a node is `behind`; one or two are the time that a block takes to all nodes. */
const BEHIND_EPOCHS = 3;
/** Older or younger heads are no play of the network or of clocks that are kept. */
const TOLERATED_EPOCHS = 5;
/** A window: of those that are open for a head so old none is open any more. */
const WORTHLESS_EPOCHS = 60;

export interface NodeFacts {
  readonly isConnected: boolean;
  /** Of the newest head it told of, on whichever connection; undefined when it never told of one. */
  readonly height: number | undefined;
  readonly isCatchingUp: boolean;
  /** It left a call unanswered lately, or its heads. */
  readonly isFailing: boolean;
  /** Of its newest head when it came, in epochs by the wall clock; undefined where the network does not go with the time of day. */
  readonly age: number | undefined;
  /** Its heads keep their distance to the clock. */
  readonly isSteady: boolean;
}

/** @param highest the highest head that any node told of lately */
export function standingOf(node: NodeFacts, highest: number | undefined): Standing {
  if (!node.isConnected) return 'away';
  if (isAhead(node)) return 'ahead';
  const { age = 0 } = node;
  if (age > WORTHLESS_EPOCHS) return 'behind';
  if (highest !== undefined && node.height !== undefined && node.height <= highest - BEHIND_EPOCHS) return 'behind';
  if (node.isCatchingUp || age > TOLERATED_EPOCHS) return 'catching-up';
  return node.isFailing ? 'failing' : 'fit';
}

/** Its newest head is from the future. */
export function isAhead({ age = 0 }: NodeFacts): boolean {
  return age < -TOLERATED_EPOCHS;
}

/**
 * Whether anything may be decided by its heads. Not by one from the future, unless they all keep the same distance: a node takes no
 * blocks from its own future, so then it is our clock that is slow, and no window is lost for that.
 */
export function maySpeak(node: NodeFacts, standing: Standing): boolean {
  return standing === 'ahead' ? node.isSteady : standing !== 'behind';
}

/** Indexes of the nodes, the one to use first. The one in use stays while none is in a better standing; else the order counts. */
export function inOrderOfUse(nodes: readonly Standing[], inUse: number | undefined): number[] {
  const place = (index: number) => standings.indexOf(nodes[index] ?? 'away') * 2 + (index === inUse ? 0 : 1);
  return nodes.map((_, index) => index).sort((left, right) => place(left) - place(right) || left - right);
}
