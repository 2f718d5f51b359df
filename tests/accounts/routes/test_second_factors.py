import pytest
from sqlalchemy import select, text

from helpdesk_core.accounts import otp
from helpdesk_core.accounts.models import BackupCode, LoginDelay, SecondFactor
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.audit import AuditEntry
from helpdesk_core.database import commit
from tests.accounts.phones import credentials, enroll, set_up
from tests.contract.steps import PASSWORD, bearer, deleted, log_in, refused, rows, served


def status(client):
    return served(client.get("/users/2fa/"))


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


def acts(installation):
    with installation.session() as session:
        return [act for act in session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)) if "factor" in act]


def field_of(reply, status_code=400):
    return refused(reply, status_code)["error"]["details"]["field"]


@pytest.fixture
def require(owner):
    """Makes Acme ask roles for a second factor."""

    def ask(*roles):
        path = f"/organizations/{owner.organization_id}/"
        served(owner.patch(path, json={"settings": {"two_factor_roles": list(roles)}}))

    return ask


class TestSettingUp:
    def test_answers_what_is_documented_and_nothing_else(self, member):
        reply = member.post("/users/2fa/setup/", json={"device_name": "My Phone"})
        made = served(reply)
        assert set(made) == {"qr_code", "secret_key", "backup_codes"}
        assert made["qr_code"].startswith("data:image/png;base64,")
        assert len(made["secret_key"]) == 32
        assert len(set(made["backup_codes"])) == 10
        assert all(len(code) == 8 and code.isdigit() for code in made["backup_codes"])
        assert reply.headers["Cache-Control"] == "no-store"

    def test_makes_no_difference_until_the_device_is_verified(self, member, anonymous, clock):
        phone = set_up(member, clock)
        assert status(member) == {"enabled": False, "required": False, "device_count": 0, "backup_codes_left": 0}
        log_in(anonymous, "member")
        served(anonymous.post("/users/login/", json=credentials(member, otp=phone.backup_codes[0])))

    def test_replaces_what_was_never_verified(self, member, clock):
        first, second = set_up(member, clock), set_up(member, clock, "Another phone")
        assert field_of(member.post("/users/2fa/verify/", json={"code": first.code()})) == "code"
        served(member.post("/users/2fa/verify/", json={"code": second.code()}))
        assert [row["name"] for row in rows(member, "/users/2fa/devices/")] == ["Another phone"]
        assert status(member)["backup_codes_left"] == 10

    def test_takes_several_devices_of_different_names(self, member, clock, phone):
        body = {"device_name": "MY PHONE", "password": PASSWORD}
        assert field_of(member.post("/users/2fa/setup/", json=body), 409) == "device_name"
        enroll(member, clock, "Tablet", password=PASSWORD)
        assert status(member)["device_count"] == 2

    def test_of_a_further_device_takes_a_proof(self, member, clock, phone):
        body = {"device_name": "Tablet"}
        assert field_of(member.post("/users/2fa/setup/", json=body)) == "password"
        assert field_of(member.post("/users/2fa/setup/", json={**body, "password": "wrong"})) == "password"
        assert field_of(member.post("/users/2fa/setup/", json={**body, "code": phone.code()})) == "code"
        served(member.post("/users/2fa/setup/", json={**body, "code": phone.next_code()}))

    def test_of_a_further_device_replaces_the_backup_codes_once_it_is_verified(self, member, anonymous, clock, phone):
        tablet = set_up(member, clock, "Tablet", password=PASSWORD)
        refused(anonymous.post("/users/login/", json=credentials(member, otp=tablet.backup_codes[0])), 401)
        served(anonymous.post("/users/login/", json=credentials(member, otp=phone.backup_codes[0])))
        served(member.post("/users/2fa/verify/", json={"code": tablet.code()}))
        assert status(member)["backup_codes_left"] == 10
        refused(anonymous.post("/users/login/", json=credentials(member, otp=phone.backup_codes[1])), 401)
        served(anonymous.post("/users/login/", json=credentials(member, otp=tablet.backup_codes[0])))

    def test_stops_at_ten_devices(self, member, clock):
        for number in range(10):
            enroll(member, clock, f"Device {number}", **({"password": PASSWORD} if number else {}))
        refused(member.post("/users/2fa/setup/", json={"device_name": "One more", "password": PASSWORD}), 409)

    @pytest.mark.parametrize("name", ["", "   ", "a" * 101, "\ufdfa" * 20, "\u0000", 5, None], ids=repr)
    def test_refuses_odd_names(self, member, name):
        assert field_of(member.post("/users/2fa/setup/", json={"device_name": name})) == "device_name"

    def test_stores_nothing_in_the_clear(self, installation, member, clock):
        headers = {"Idempotency-Key": "once"}
        made = served(member.post("/users/2fa/setup/", json={"device_name": "My Phone"}, headers=headers))
        with installation.session() as session:
            tables = ("core_second_factor", "core_backup_code", "core_idempotent_request", "core_event")
            raw = [row for table in tables for row in session.execute(text(f"SELECT * FROM {table}"))]
            entries = session.execute(text("SELECT * FROM core_audit_entry")).all()
            hashes = session.scalars(select(BackupCode.code_hash)).all()
        stored = repr([*raw, *entries])
        assert "My Phone" in stored
        assert made["secret_key"] not in stored
        assert not [code for code in made["backup_codes"] if code in stored]
        assert len(hashes) == 10
        assert all(each.startswith("$argon2id$") for each in hashes)

    def test_that_is_sent_again_with_its_key_gets_the_same_answer(self, member):
        body, headers = {"device_name": "My Phone"}, {"Idempotency-Key": "once"}
        first, second = (served(member.post("/users/2fa/setup/", json=body, headers=headers)) for _ in range(2))
        assert first == second

    def test_is_not_for_those_without_an_account(self, anonymous):
        refused(anonymous.post("/users/2fa/setup/", json={"device_name": "My Phone"}), 401)


class TestVerifying:
    def test_turns_the_second_factor_on(self, installation, member, phone):
        assert status(member) == {"enabled": True, "required": False, "device_count": 1, "backup_codes_left": 10}
        (event,) = happened(installation, "user.second_factor_added")
        assert event["user_id"] == member.user.id
        assert acts(installation) == ["second_factor.set_up", "second_factor.added"]

    def test_refuses_a_wrong_code_and_keeps_that_it_was_tried(self, installation, member, clock):
        phone = set_up(member, clock)
        assert field_of(member.post("/users/2fa/verify/", json={"code": phone.wrong_code()})) == "code"
        with installation.session() as session:
            assert session.scalars(select(LoginDelay.failures)).all() == [1]

    def test_takes_no_backup_code(self, member, clock):
        phone = set_up(member, clock)
        assert field_of(member.post("/users/2fa/verify/", json={"code": phone.backup_codes[0]})) == "code"

    def test_takes_blanks(self, member, clock):
        code = set_up(member, clock).code()
        served(member.post("/users/2fa/verify/", json={"code": f"{code[:3]} {code[3:]}"}))

    def test_uses_the_code_up(self, member, anonymous, phone):
        refused(anonymous.post("/users/login/", json=credentials(member, otp=phone.code())), 401)

    def test_needs_a_device(self, member, phone):
        refused(member.post("/users/2fa/verify/", json={"code": phone.next_code()}), 409)

    def test_stops_after_five_wrong_codes(self, installation, member, anonymous, clock):
        phone = set_up(member, clock)
        for _ in range(5):
            refused(member.post("/users/2fa/verify/", json={"code": phone.wrong_code()}), 400)
        reply = member.post("/users/2fa/verify/", json={"code": phone.code()})
        details = refused(reply, 429)["error"]["details"]
        assert details == {"limit": 5, "remaining": 0, "reset_time": "2026-03-02T10:15:00Z"}
        assert reply.headers["Retry-After"] == "900"
        (event,) = happened(installation, "user.login_delayed")
        assert event == {"user_id": member.user.id, "address": "testclient", "seconds": 900}
        clock.advance(minutes=15)
        served(member.post("/users/2fa/verify/", json={"code": phone.code()}))

    def test_gives_no_more_guesses_for_a_right_code(self, member, clock):
        tried = [enroll(member, clock)]
        for number in range(4):
            body = {"device_name": "Tablet", "code": tried[0].wrong_code()}
            refused(member.post("/users/2fa/setup/", json=body), 400)
            if number == 2:
                set_up(member, clock, "Tablet", password=PASSWORD)
        refused(member.post("/users/2fa/disable/", json={"password": "wrong"}), 400)
        refused(member.post("/users/2fa/disable/", json={"password": PASSWORD}), 429)


class TestDisabling:
    @pytest.mark.parametrize("proof", ["password", "code", "backup code"])
    def test_takes_one_proof(self, installation, member, anonymous, phone, proof):
        bodies = {
            "password": {"password": PASSWORD},
            "code": {"code": phone.next_code()},
            "backup code": {"code": phone.backup_codes[3]},
        }
        served(member.post("/users/2fa/disable/", json=bodies[proof]))
        assert status(member) == {"enabled": False, "required": False, "device_count": 0, "backup_codes_left": 0}
        log_in(anonymous, "member")
        assert happened(installation, "user.second_factor_disabled") == [{"user_id": member.user.id}]
        assert "second_factor.disabled" in acts(installation)

    @pytest.mark.parametrize(
        ("body", "field"), [({}, "password"), ({"password": "wrong"}, "password"), ({"code": "00000000"}, "code")]
    )
    def test_refuses_a_wrong_one_and_none(self, member, phone, body, field):
        assert field_of(member.post("/users/2fa/disable/", json=body)) == field
        assert status(member)["enabled"]

    def test_needs_both_where_both_are_sent(self, member, phone):
        body = {"password": "wrong", "code": phone.next_code()}
        assert field_of(member.post("/users/2fa/disable/", json=body)) == "password"
        body = {"password": PASSWORD, "code": phone.wrong_code()}
        assert field_of(member.post("/users/2fa/disable/", json=body)) == "code"

    def test_needs_something_to_disable(self, member):
        refused(member.post("/users/2fa/disable/", json={"password": PASSWORD}), 409)

    def test_is_refused_where_the_organization_asks_for_it(self, member, phone, require):
        require("customer")
        found = refused(member.post("/users/2fa/disable/", json={"password": PASSWORD}), 403)
        assert found["error"]["code"] == "SECOND_FACTOR_KEPT"
        assert status(member) == {"enabled": True, "required": True, "device_count": 1, "backup_codes_left": 10}


class TestDevices:
    def test_are_listed_to_their_owner_alone(self, owner, member, second_member, clock, phone):
        set_up(member, clock, "Tablet", password=PASSWORD)
        listed = rows(member, "/users/2fa/devices/")
        assert [(row["name"], row["confirmed_at"] is None) for row in listed] == [("Tablet", True), ("My Phone", False)]
        assert set(listed[0]) == {"id", "name", "created_at", "confirmed_at", "last_used_at"}
        assert rows(owner, "/users/2fa/devices/") == rows(second_member, "/users/2fa/devices/") == []

    def test_of_others_are_unknown(self, owner, outsider, second_member, member, phone):
        (device,) = rows(member, "/users/2fa/devices/")
        for client in (outsider, owner, second_member):
            refused(client.delete(f"/users/2fa/devices/{device['id']}/", json={"password": PASSWORD}), 404)

    def test_are_removed_with_a_proof(self, installation, member, anonymous, clock, phone):
        tablet = enroll(member, clock, "Tablet", password=PASSWORD)
        device = next(row for row in rows(member, "/users/2fa/devices/") if row["name"] == "My Phone")
        path = f"/users/2fa/devices/{device['id']}/"
        assert field_of(member.delete(path)) == "password"
        deleted(member.delete(path, json={"code": tablet.next_code()}))
        assert [row["name"] for row in rows(member, "/users/2fa/devices/")] == ["Tablet"]
        refused(anonymous.post("/users/login/", json=credentials(member, otp=phone.next_code())), 401)
        served(anonymous.post("/users/login/", json=credentials(member, otp=tablet.code())))
        assert happened(installation, "user.second_factor_removed")[0]["device_id"] == device["id"]

    def test_stay_when_there_is_no_other(self, member, clock, phone):
        set_up(member, clock, "Tablet", password=PASSWORD)
        tablet, device = rows(member, "/users/2fa/devices/")
        refused(member.delete(f"/users/2fa/devices/{device['id']}/", json={"password": PASSWORD}), 409)
        deleted(member.delete(f"/users/2fa/devices/{tablet['id']}/", json={"password": PASSWORD}))


class TestBackupCodes:
    def test_work_once(self, installation, member, anonymous, phone):
        first = credentials(member, otp=phone.backup_codes[0])
        served(anonymous.post("/users/login/", json=first))
        refused(anonymous.post("/users/login/", json=first), 401)
        assert served(member.get("/users/2fa/backup-codes/")) == {"remaining": 9}
        assert happened(installation, "user.backup_code_used") == [{"user_id": member.user.id, "left": 9}]

    def test_cost_one_comparison_whether_they_are_right_or_wrong(self, member, anonymous, phone, monkeypatch):
        verified = []
        real = Passwords.verify
        monkeypatch.setattr(Passwords, "verify", lambda *given: verified.append(1) or real(*given))
        served(anonymous.post("/users/login/", json=credentials(member, otp=phone.backup_codes[9])))
        right = len(verified)
        refused(anonymous.post("/users/login/", json=credentials(member, otp="00000000")), 401)
        assert (right, len(verified) - right) == (2, 2)  # the password, and the code

    def test_of_another_do_not_work(self, member, second_member, anonymous, clock, phone):
        other = enroll(second_member, clock)
        refused(anonymous.post("/users/login/", json=credentials(member, otp=other.backup_codes[0])), 401)
        refused(anonymous.post("/users/login/", json=credentials(member, otp=other.next_code())), 401)

    def test_are_renewed_with_a_proof(self, installation, member, anonymous, phone):
        assert field_of(member.post("/users/2fa/backup-codes/", json={})) == "password"
        reply = member.post("/users/2fa/backup-codes/", json={"code": phone.backup_codes[0]})
        renewed = served(reply)["backup_codes"]
        assert reply.headers["Cache-Control"] == "no-store"
        assert len(set(renewed)) == 10
        assert status(member)["backup_codes_left"] == 10
        refused(anonymous.post("/users/login/", json=credentials(member, otp=phone.backup_codes[1])), 401)
        served(anonymous.post("/users/login/", json=credentials(member, otp=renewed[0])))
        assert happened(installation, "user.backup_codes_renewed") == [{"user_id": member.user.id}]

    def test_need_a_device(self, member):
        refused(member.post("/users/2fa/backup-codes/", json={"password": PASSWORD}), 409)


class TestBeingRequired:
    def test_walls_off_all_but_the_way_out(self, member, owner, clock, require):
        served(member.get("/users/"))
        require("customer")
        for path in ("/users/", "/organizations/", "/users/login-attempts/"):
            found = refused(member.get(path), 403)
            assert found["error"]["code"] == "TWO_FACTOR_REQUIRED"
        assert status(member) == {"enabled": False, "required": True, "device_count": 0, "backup_codes_left": 0}
        served(member.get("/users/profile/"))
        enroll(member, clock)
        served(member.get("/users/"))
        served(owner.get("/users/"))

    def test_holds_for_logins_that_come_later(self, member, anonymous, clock, require):
        require("customer", "agent")
        held = bearer(log_in(anonymous, "member")["access"])
        refused(anonymous.get("/users/", headers=held), 403)
        other = log_in(anonymous, "member")
        renewed = served(anonymous.post("/users/refresh/", json={"refresh": other["refresh"]}))
        refused(anonymous.get("/users/", headers=bearer(renewed["access"])), 403)
        enroll(member, clock)
        served(anonymous.get("/users/", headers=held))

    def test_lets_those_be_who_have_one(self, member, phone, require):
        require("customer")
        served(member.get("/users/"))

    def test_ends_when_the_organization_asks_no_longer(self, member, second_member, require):
        require("customer")
        refused(member.get("/users/"), 403)
        require()
        served(member.get("/users/"))

    def test_follows_the_role(self, member, owner, require):
        served(member.get("/users/"))
        require("agent")
        served(member.get("/users/"))
        served(owner.post(f"/users/{member.user.id}/change-role/", json={"role": "agent"}))
        refused(member.get("/users/"), 403)
        served(owner.post(f"/users/{member.user.id}/change-role/", json={"role": "customer"}))
        served(member.get("/users/"))

    def test_stops_at_the_organization(self, outsider, owner, clock, require):
        served(outsider.get("/users/"))
        require("admin")
        served(outsider.get("/users/"))
        refused(owner.get("/users/"), 403)

    @pytest.mark.parametrize("value", ["admin", ["king"], [5], [["admin"]], {"admin": True}], ids=repr)
    def test_takes_a_list_of_roles(self, owner, value):
        reply = owner.patch(f"/organizations/{owner.organization_id}/", json={"settings": {"two_factor_roles": value}})
        assert field_of(reply).startswith("settings.two_factor_roles")


def test_a_secret_that_cannot_be_read_any_more_opens_nothing(installation, member, anonymous, phone):
    with installation.session() as session:
        session.scalars(select(SecondFactor)).one().secret = "of another key"
        commit(session)
    refused(anonymous.post("/users/login/", json=credentials(member, otp=phone.next_code())), 401)
    served(anonymous.post("/users/login/", json=credentials(member, otp=phone.backup_codes[0])))


def test_the_qr_code_names_organization_and_user(member, clock, monkeypatch):
    drawn = []
    monkeypatch.setattr(otp, "qr_code", lambda address: drawn.append(address) or "data:image/png;base64,")
    phone = set_up(member, clock)
    assert drawn[0].startswith(f"otpauth://totp/Acme%20Corporation:member?secret={phone.secret}")
