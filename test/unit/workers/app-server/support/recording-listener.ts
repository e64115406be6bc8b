import type { ConnectionLostError } from "../../../../../src/workers/app-server/errors.js";
import type { ThreadListener } from "../../../../../src/workers/app-server/notification-router.js";
import type {
  ThreadNotification,
  ToolCall,
  ToolCallAnswer,
} from "../../../../../src/workers/app-server/protocol.js";

/** Records what a thread hears. */
export class RecordingListener implements ThreadListener {
  readonly notifications: ThreadNotification[] = [];
  readonly calls: ToolCall[] = [];
  readonly losses: ConnectionLostError[] = [];
  answer: (call: ToolCall) => Promise<ToolCallAnswer> = async () => ({ success: true, contentItems: [] });

  onNotification(notification: ThreadNotification): void {
    this.notifications.push(notification);
  }

  onToolCall(call: ToolCall): Promise<ToolCallAnswer> {
    this.calls.push(call);
    return this.answer(call);
  }

  onConnectionLost(error: ConnectionLostError): void {
    this.losses.push(error);
  }
}
