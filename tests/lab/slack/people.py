"""What people do in Slack, one coroutine each: type, click, fill in forms, open the Home tab."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from aiohttp import ClientSession

from tests.lab.slack import forms, infields
from tests.lab.slack.proxy import Proxy
from tests.lab.slack.socketmode import Ack, Match
from tests.lab.slack.views import Views
from tests.lab.slack.workspace import BOT_USER, Json

# The control API answers after the acknowledgement, or after 5 s; the page's socket does not answer, so we wait.
PATIENCE = 6.0


@dataclass(frozen=True, slots=True)
class People:
    """All people: the acting one is given each time, by user id."""

    proxy: Proxy

    @property
    def _standin(self) -> ClientSession:
        return self.proxy.standin

    @property
    def _views(self) -> Views:
        return self.proxy.desk.views

    async def slash(self, user: str, channel: str, text: str) -> Ack:
        """Type a command; `text` starts with its name."""
        command, _, rest = text.partition(" ")
        workspace = self.proxy.workspace
        if command not in workspace.manifest.commands:
            raise LookupError(f"{command} is not a valid command. The app has {list(workspace.manifest.commands)}.")
        arrives = (user, channel, command, workspace.typed(command, rest))
        typed = {"user": user, "channel": channel, "command": command, "text": rest}

        def this(envelope: Json) -> bool:
            payload = envelope["payload"]
            told = tuple(payload.get(key) for key in ("user_id", "channel_id", "command", "text"))
            return envelope["type"] == "slash_commands" and told == arrives

        return await self._acked(this, self._post("command", typed), patience=0)

    async def write(self, user: str, channel: str, text: str, thread_ts: str | None) -> Json:
        """Post a message."""
        typed = {"user": user, "channel": channel, "text": text, **({"thread_ts": thread_ts} if thread_ts else {})}
        message: Json = (await self._post("message", typed))["message"]
        return message

    async def mention(self, user: str, channel: str, text: str, thread_ts: str | None) -> Json:
        """Post a message that begins with the bot's name."""
        return await self.write(user, channel, f"<@{BOT_USER}> {text}", thread_ts)

    async def click(self, user: str, message: Json, control: str, option: str | None) -> Ack:
        """Press a button, by its label or action_id; or choose an option of a menu."""
        action = _action(message, control, option)

        def this(envelope: Json) -> bool:
            payload = envelope["payload"]
            return bool(
                payload.get("type") == "block_actions"
                and payload["user"]["id"] == user
                and payload["actions"][0]["action_id"] == action["action_id"]
                and payload["container"].get("message_ts") == message["ts"]
            )

        pressed = {"user": user, "channel": message["channel"], "messageTs": message["ts"], "action": action}
        return await self._acked(this, self._post("interact", pressed), patience=0)

    async def press_at_home(self, user: str, control: str) -> Ack:
        """Press a button of the Home tab in its last published version."""
        view = self.proxy.homes.get(user)
        if view is None:
            raise LookupError(f"nothing was published for {user}")
        action = _action(view, control, None)

        def this(envelope: Json) -> bool:
            payload = envelope["payload"]
            return bool(
                payload.get("type") == "block_actions"
                and payload["user"]["id"] == user
                and payload["actions"][0]["value"] == action["value"]
                and payload["actions"][0]["action_id"] == action["action_id"]
            )

        pressed = self._say("block_action", channel="", messageTs="", user=user, action=action)
        return await self._acked(this, pressed, patience=PATIENCE)

    async def submit(self, user: str, answers: Mapping[str, str | list[str]]) -> Ack:
        """Send the open form; fields that are not in `answers` stay as they are."""
        view = self.form(user)
        values, missing = forms.complete(view, self._views.filled(answers))
        if missing:
            raise LookupError(f"Slack would not send the form off: {missing}")
        return await self._acked(
            _from(user, "view_submission"), self._say("view_submit", user=user, values=values), patience=PATIENCE
        )

    async def close(self, user: str) -> None:
        """Close the open form."""
        self.form(user)
        await self._say("view_close", user=user)

    def form(self, user: str) -> Json:
        """This person's open form."""
        if not self._views.stack or self._views.owner != user:
            raise LookupError(f"no form is open before {user}")
        return self._views.top()

    async def shortcut(self, user: str, callback_id: str, channel: str, message: Json | None) -> Ack:
        """Use a shortcut of the app, on a message or global. Raises `LookupError` if there is none."""
        return await self.proxy.shortcut(user, callback_id, channel, message)

    async def types(self, user: str, block_id: str, typed: str) -> list[Json]:
        """Type into a list of the open form, and return the options."""
        self.form(user)
        await self.proxy.tell(infields.typing(self._views, user, block_id, typed))
        return self._views.offered.get(block_id, [])

    async def chooses(self, user: str, block_id: str, answers: Mapping[str, str | list[str]]) -> Ack:
        """Choose in one field of the open form; `answers` holds that, and the present values of the others."""
        self.form(user)
        envelope = infields.choosing(self._views, user, block_id, self._views.filled(answers))
        return await self.proxy.tell(envelope) if envelope else Ack()

    async def open_home(self, user: str) -> None:
        """Open the bot's Home tab."""
        await self._post("open-home", {"user": user})

    async def _acked(self, match: Match, doing: Awaitable[object], *, patience: float) -> Ack:
        waiting = self.proxy.sockets.expect(match)
        try:
            await doing
            return await asyncio.wait_for(waiting, patience)
        except TimeoutError:
            return Ack()
        finally:
            self.proxy.sockets.forget(waiting)

    async def _post(self, what: str, said: Json) -> Json:
        async with self._standin.post(f"/_control/{what}", json=said) as answer:
            if answer.status != 200:
                raise LookupError(await answer.text())
            done: Json = await answer.json()
            return done

    async def _say(self, what: str, **said: object) -> None:
        async with self._standin.ws_connect("/ui", max_msg_size=0) as page:
            await page.send_json({"t": what, **said})


def _from(user: str, kind: str) -> Match:
    def match(envelope: Json) -> bool:
        payload = envelope["payload"]
        return bool(payload.get("type") == kind and payload["user"]["id"] == user)

    return match


def controls(message: Json) -> list[tuple[Json, Json]]:
    """Everything in a message that can be pressed or chosen from, with its block."""
    found = []
    for block in message.get("blocks") or []:
        parts = block.get("elements", []) if block["type"] == "actions" else [block.get("accessory")]
        found += [(block, part) for part in parts if part and part["type"] != "image"]
    return found


def label(control: Json) -> str:
    """The visible label."""
    return str((control.get("text") or control.get("placeholder") or {}).get("text", ""))


def _action(message: Json, wanted: str, chosen: str | None) -> Json:
    for block, control in controls(message):
        if wanted in (control["action_id"], label(control), control.get("accessibility_label")):
            about = {"type": control["type"], "action_id": control["action_id"], "block_id": block.get("block_id")}
            if chosen is not None:
                return {**about, "selected_option": forms.option(control, chosen)}
            return {**about, "value": control.get("value"), "text": control.get("text")}
    raise LookupError(f"{wanted!r} is none of {[label(control) for _, control in controls(message)]}")
