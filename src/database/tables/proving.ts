/** sql/0010-proving.sql. Epochs are the chain's, times milliseconds since 1970, amounts attoFIL. */
export interface FirstRunGatesTable {
  miner_id: number;
  network: string;
  passed_by: 'simulation' | 'recovery';
  task_id: string | null;
  passed_at: number;
}

export interface RecoveryWindowsTable {
  miner_id: number;
  deadline: number;
  open_epoch: number;
}

export interface ShadowMessagesTable {
  message_id: string;
  miner_id: number;
  purpose: string;
  deadline: number | null;
  /** Their indices, as JSON. */
  partitions: string | null;
  open_epoch: number | null;
  close_epoch: number | null;
  /** Of the head when it would have been sent. */
  due_height: number;
  due_at: number;
  /** Why the chain would not have executed it; null: it would. */
  refusal: string | null;
  /** Its highest cost by the node's estimate. */
  fee: string | null;
  ended_height: number | null;
  /** 1: somebody else had these partitions proven in time. */
  posted: number | null;
}
