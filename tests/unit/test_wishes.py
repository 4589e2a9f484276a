"""What people write, and what it means: a line a mail (S2, R1). ⏎ stands for a line break."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.domain.cases import CaseKind
from shared.domain.wishes import REASONS, Understanding, Wish, cites_gdpr, understand
from shared.texts.consent import TextId, current

STOP = """
しつこいんで止めてもらっていいですか
止めてもらっていいですか?
勝手に登録しないでください
勝手に送らないでください
今後一切連絡してこないでいただきたい
二度と連絡しないでください。
もういいです。送らないでください
もうええわ、送ってこんといて
マジでいらん
まじ迷惑。やめて。
配信とめてください😡
配信停止🙏
停止お願い🙇‍♀️
配信停止よろ
配信停止おなしゃす
配信をストップしていただきたく存じます
配信中止をお願いします
送信不要
ご案内不要でございます
ご案内は今後ご不要です
メールの受信をやめたい
受信したくないです
受け取りたくありません
配信対象から外してください
配信対象から除外願います
送付リストから除いてください
会員を辞めたい
会員やめます
メルマガ解約
メルマガ退会
メールマガジンを退会したい
購読解除希望
メルマガ配信解除
メール会員の解約
もう興味がないので送らないで
家は売れました。もう案内は結構です。
解約手続きをお願いします
退会手続きお願いします
退会の手続きをしてください
何回停止しても送られてくるのですがどうなっているんですか
解除したのに届く
解除したはずですが
早く停止しろ
さっさと止めろ
とっとと配信止めろや
停止せよ
配信停止せよ
停止!
ストップ!!!
とめてくれ
やめてほしい
やめていただけませんか
やめて頂きたいです
メールするのやめてください
送るのやめて
送るのをやめて頂けますか
メール攻撃やめろ
くだらないメールを送るな
こんなメール送らないで
こんなメールいらない
無駄なメールはいらない
このようなメールは今後送信しないでください
この手のメールは不要です
今後このようなメールは送らないで下さい。
主人は亡くなりましたのでメールは不要です
本人は亡くなりました。配信を停止してください
会社のアドレスには送らないでほしい
母は高齢なのでメールを送らないでください
このメールアドレスには送信しないでください
私のアドレスを配信リストから除いてください
アドレスを配信対象から外して
停止したい
停止したいです
停止希望
停止きぼう
ていしきぼう
配信ていしおねがいします
はいしんていしおねがいします
メールていしして
いりません。
いりません!
いらねーよ
いらないってば
いらないと言ってるのに
不要だと伝えたのに
不用
メール不用
無用です
不必要です
必要ない
必要ありません
必要ないので送らないで
案内の必要はありません
ダイレクトメールお断り
DM不要
DMいりません
広告メール拒否
広告はいりません
宣伝メールはやめてください
勧誘はお断りします
営業お断り
勝手に登録されたので解除してください
unsubscribe me now!!!
UNSUBSCRIBE ME
Unsubscribe from all
unsubscribe all
unsub
unsub me pls
pls unsub
Unsubcribe
Unsubscrib
unsubscrbe
unsubscibe me
un subscribe
take me off your email list please
Take me off your list.
please delete me from your list
delete me from the mailing list
remove from list
remove
Remove my name from the list
get me off this list
stop mailing me
stop these emails
Stop sending me this crap
stop with the emails
stop all emails
STOP ALL
Quit emailing me
no more
enough. stop.
end subscription
I don't want this
I don't want to get these mails
I do not wish to be contacted
I do not want to hear from you
do not send
Don't email me
don't contact me again
never contact me again
never email me again
please don't write to me anymore
I'd like to be removed from your list
I want off this list
I want to be taken off the list
Please make it stop
not interested, remove me
I asked to be removed
You keep emailing me after I unsubscribed
I already unsubscribed but still get mail
already unsubscribed!
who are you? stop
メールunsubscribe希望
stop希望
配信をoffにして
配信オフにしてください
メール配信オフ
通知をオフにしてください
受信拒否設定しました
オプトアウトしたい
配信停止を申し込みます
配信停止申請
配信停止依頼
停止依頼
【配信停止】
配信停止希望です。番号123
解除手続き
解除依頼
解除希望
登録解除依頼
何度停止しても届く
停止
配信停止
配信停止希望
配信停止を希望します
配信停止お願いします
配信停止をお願いいたします。
配信停止してください
メールの配信を停止してください
メール配信を停止していただけますでしょうか。
メルマガの配信を止めていただけませんか?
停止して下さい
停止でお願いします
停止願います
配信停止手続きをお願いします
配信停止処理願います
配信の停止をお願いしたく、ご連絡いたしました。
お手数ですが、今後の配信は停止いただけますと幸いです。
いつもお世話になっております。山田です。メール配信の停止をお願いいたします。よろしくお願いいたします。
不要
不要です
もう不要です
メール不要です
今後のご案内は不要です
案内は不要ですので、よろしくお願いします。
メルマガ不要
今後一切のメールは不要です
いらない
いりません
もういりません
もういらないです
イラナイ
要らない
要りません
いらん
いらねえ
メールいらない
このメールはもういらない
お知らせはもう必要ありません
案内は必要ないです
解除
解除してください
登録解除
登録解除お願いします
登録を解除したい
配信登録の解除をお願いします
メルマガ解除
購読解除
購読を中止したいです
退会
退会します
退会希望
退会させてください
解約
解約したいです
やめて
やめてください
やめろ
もうやめて
ヤメテ
メールやめて
メールを送るのをやめてください
メルマガやめたい
止めて
止めてください
とめて
配信とめて
配信とめてほしい
もう送らないで
もう送らないでください
送らないで下さい
二度と送らないで
二度と送ってこないでください
送るな
送ってくるな
メール送るな
もう送ってこないで
メール送信しないで
メールを送信しないでください
もう配信しないでください
メールしないで
もう連絡しないでください
今後連絡してこないでください
今後の連絡は不要です
メールが来ないようにしてください
メールが届かないようにして
案内は送らなくていいです
メールはもう送らなくて結構です
メールは結構です
案内は結構です
ご案内は遠慮します
メールは受け取りたくない
メールの受信を希望しません
案内を希望しません
配信を希望しません
今後のメール配信は希望いたしません。
配信リストから削除してください
リストから外してください
メーリングリストから削除お願いします
名簿から外して
配信リストから消して
ストップ
メールストップして
配信ストップでお願いします
受信拒否します
お断りします
営業メールはお断りします
ﾒｰﾙｲﾗﾅｲ
ﾒｰﾙ ｲﾗﾅｲ
ﾊｲｼﾝﾃｲｼ
ﾔﾒﾃｸﾀﾞｻｲ
配 信 停 止
はいしんていし
配信定止お願いします
配信停しお願いします
背信停止
オプトアウト
オプトアウトします
配信停止したのにまだ届きます。
配信停止をお願いしたのに届きます
先日も配信停止をお願いしましたのに、また届いています。停止してください。
リンクが開けないので停止してください
メールが多すぎるので停止してください
迷惑なので停止して
いい加減にしろ、止めろ
unsubscribe
Unsubscribe
UNSUBSCRIBE
unsubscribe please
Please unsubscribe me
unsuscribe
unsubcribe
un-subscribe
ｕｎｓｕｂｓｃｒｉｂｅ
Unsubscribe me from this list.
stop
STOP
Stop!
Please stop
stop it
stop sending me emails
Please stop sending these
Stop emailing me
stop contacting me please
STOP SPAMMING ME
Don't send me any more emails
Please do not email me again.
do not contact me
No more emails
no more emails please
remove me
Remove me from your list
Please remove me from your mailing list
take me off this list
take my name off your mailing list
remove my email address from your mailing list
opt out
opt-out
I want to opt out
I would like to unsubscribe.
I no longer wish to receive these emails
I don't want to receive your newsletter
I don't want these emails anymore
cancel my subscription
Can you please stop emailing me?
Could you remove me from the list?
Would you please take me off the mailing list?
配信 stop お願いします
unsubscribe お願いします
mailing listから remove して
このmailはもういらない
Please 配信停止
メールを unsubscribe したい
もう二度とメールよこすな
もうメール送ってくんな
不要なメールを送らないでください
いらないメール送るな
今後はメールを送らないようお願いいたします。
メールアドレスを配信リストから外していただきたいです。
このアドレスへの配信を停止してください
このアドレスに送らないでください
個人情報の件ではありませんが、メール配信は停止してください
今後メールは一切送らないでください。
停止したはずなのに届いている
メール配信を停止してもらえますか
メール配信停止していただくことは可能でしょうか
もうメールいりません、ありがとうございました
メルマガ登録を解除してください。
案内メールの停止希望です。
配信停止を宜しくお願い致します
配信停止で。
メールの配信を停止していただきたくお願い申し上げます。
今後のメール送付は差し控えていただきますようお願いいたします。
今後、このような案内メールはご遠慮ください。
DMの送付を中止してください。
これ以上送らないでください
送らないで
メールはいらないので送らないでください
もうメールは来なくていいです
メールを止めてください!!!
メール止めろ
配信止めて
ﾒｰﾙ配信ﾃｲｼ
メルマガの購読をやめます。
配信を解除お願いできますか
配信停止をお願いできますでしょうか
配信停止していただけないでしょうか。
停止してもらえませんか
配信停止の件、よろしくお願いします。
メールを送ってこないでください
メールを送りつけないでください
送付不要です
ご案内の送付は不要です
セミナー案内は不要です
空き家の案内メールは不要です。
空き家関連のメールは今後送らないでください
もう家は売れましたので、メールは不要です
引っ越したので案内はもう要りません
配信不要
今後の配信は不要です。
メール停止
メール拒否
案内不要
案内いらない
メルマガいらない
要らないです
いらないよ
いりませんので
配信停止を強く求めます
再三お願いしていますが、配信停止してください。
一度停止したのに配信が再開された。やめてください
Unsubscribe!!
unsubscribed please
please remove
Please take me off.
I want to unsubscribe from this newsletter
I'd like to stop receiving these emails
Kindly remove me from this mailing list.
do not send me emails
please don't send me anything anymore
No more mail please.
I am not interested, please unsubscribe me.
I never signed up. Unsubscribe me.
Hi, I got your mail about vacant houses but I have moved abroad. Please unsubscribe me. Thanks
please cancel my newsletter subscription
I said stop emailing me
メールを全部止めてほしい
本メールの配信停止をお願いします
このメールの配信停止をお願いします
このメールの配信を停止してください。
当方は対象外ですのでリストから除外してください
メーリングリストから抜けたいです
配信先から外してください
配信先リストから削除をお願いします
購読停止
購読をキャンセル
登録取り消し
会員登録の取消しをお願いします
メールマガジンの配信を終了してください
もうメールを送らんといて
もう送らんといてください
メールせんといて
やめてくれ
勘弁してください、もう送らないで
送信をやめてください
やめてもらえますか
やめて欲しいです
こちらのアドレスには今後送信しないようお願いします
停止でお願いします。山田
お世話になっております。⏎山田太郎と申します。⏎メールの配信を停止していただきたくお願い申し上げます。
メール配信の⏎停止をお願いします
山田太郎⏎停止
配信停止⏎山田太郎⏎090-1234-5678
配信停止、よろしくお願いいたします⏎⏎--⏎株式会社サンプル 山田太郎⏎東京都千代田区1-1
"""
MAYBE_STOP = """
送付先から削除してください
配信停止ボタンを押しても停止されないので停止してください
先月停止を依頼しましたが今月も届きました
停止処理されていないようです
娘に送らないでください
いらないと言ったはずです
要らないと言っています
不要と何度言えばわかるのか
ご連絡は不要です
stop all communications
Cease and desist
how do i get off this list
I have asked you to stop emailing me
Why do you keep sending me emails
メールが来るのが嫌です
メールが嫌です
ブロックします
迷惑メールに登録しました
次送ったら訴えます
次に送ったら警察に通報します
違法です
違法メール
特定電子メール法違反です
停止できますか
停止できますか?
配信停止はできますか
配信停止できません
配信停止の方法を教えてください
どうやって解除するのですか
解除方法がわかりません
どうすれば配信停止できますか?
配信停止は可能でしょうか
配信停止について
登録した覚えがない
登録した覚えがありません
登録してません
身に覚えがありません
なぜ送ってくるのか
なぜメールが届くのですか
なんで送ってくるんですか
どこで私のアドレスを知ったのですか
どうやってメールアドレスを入手しましたか?
迷惑です
迷惑メール
メールが迷惑です
しつこい
うざい
興味ありません
興味ないです
スパムですか?
通報します
死ね
ふざけるな
結構です
もう結構です
キャンセルします
母が配信停止してほしいと言っています
友人が「配信停止」と書けば止まると言っていました
停止しないと通報します
停止しない場合は法的措置を取ります
なぜ停止しないのですか
まだ停止されていません
いつまで送ってくるんですか
人違いです
宛先が違います
多すぎます
頻度を減らしてください
この度、担当の本人は退職しました
配信停止しました
不要になったら連絡します
配信停止した場合どうなりますか
草刈りはやめてください
停止しないでください。でも案内は不要です。
not interested
No thank you
I never signed up for this
Where is the unsubscribe link?
The unsubscribe link does not work
なぜ停止せず送ってくるのですか
なぜ配信を停止しないで放置するのですか
I did not subscribe
Why am I getting these emails?
How did you get my email address?
How do I unsubscribe?
Can I unsubscribe?
How can I stop receiving these emails?
If you do not stop I will report you.
I can't unsubscribe
too many emails
This is spam
leave me alone
wrong person
Why don't you stop?
stop the music
my wife said to unsubscribe
メールが多いです
どちら様でしょうか。登録した記憶がありません
登録した記憶がないのですが、何のメールでしょうか
申し込んだ覚えはありません
この会社は何ですか?勝手に送ってこないでくださいと言ったはずです
メールを削除してください
やめることはできますか
解約方法を教えてください
退会方法
退会するにはどうすればいいですか
いつ停止されますか
停止しましたか?
主人から配信停止するように頼まれました
If I unsubscribe, will my request be cancelled?
Did you unsubscribe me?
Where is the unsubscribe page?
unsubscribe?
停止?
配信停止できてますか
リンクを押しても停止できない
配信停止のURLが開けません
まだ届きます
配信停止を依頼した覚えはありません
またメールが来ました
まだメールが届いています
サービスを解約したいです
"""
INQUIRY = """
停止しないで下さいね
まだ停止しないでください
絶対に停止しないでください
停止は望みません
停止は考えていません
解除は希望しないです
配信はそのまま続けてください
配信を続けてください
メールは必要です
不要ではありません
不要ではないです
いらないわけではありません
いらなくないです
メールがほしいです
もっと送ってください
ご案内ありがとうございます。ぜひ参加します
水道の停止はいつですか
雨漏りを止めたい
雨漏りが止まらない
草刈りを依頼したい
不要な土地を手放したい
いらない土地
いらない家
いらない家をもらってほしい
いらないものの処分
空き家いりませんか
実家がいらないので売りたい
実家が不要になりました
相続放棄したい
管理会社との契約をやめたい
電力会社の解約方法
固定資産税の減免について
補助金の申請方法を教えてください
中止になったイベントについて
イベントは中止ですか
セミナーは中止ですか?
セミナーをキャンセルします
参加をキャンセルしたいです
明日の面談をキャンセルしたい
相談をキャンセルします
見学会の予約を取り消したい
駅前のバス停の近くです
通行止めですか
行き止まりの土地です
駐車場は必要ですか
予約が必要ですか
何が必要ですか
費用は必要ありませんか
参加費は不要ですか
それで結構ですのでお願いします
火災保険の解約
ガスを止めたい
水を止めてください
電気を止めてほしい
Please stop by our office
We will not stop the project
I need to stop the water
Is there a bus stop nearby?
please do not stop
Don't remove me from the list
please keep me on the list
I don't want to miss your emails
Never mind
Please send me the brochure
Can you send me more information about vacant houses?
What time does it start?
Thank you, I received your email.
I am interested
停止しないで
停止しないでください
配信停止しないでください
配信停止はしないで
配信を停止しないでほしい
配信は止めないで
止めないでください
やめないで
やめないでください
解除したくない
解除したくないです
解除しないで
配信停止は不要です
配信停止の必要はありません
停止しなくていいです
配信停止は希望しません
配信停止を希望していません
配信停止したくありません
停止するな
配信停止をやめてください
停止しないでもらえますか
停止は、しないでください
配信停止を取り消してください
停止を解除してください
間違えて配信停止してしまいました。配信を再開してください
配信を再開してください
また送ってください
引き続き配信をお願いします
今後も送ってください
don't unsubscribe
don't unsubscribe me
Please do not unsubscribe me
I do not want to unsubscribe
don't stop
Please don't stop sending these emails
I don't want to stop receiving emails
never stop
please keep sending
I unsubscribed by mistake
I accidentally unsubscribed
I know that I can unsubscribe at any time
水道の停止
水道の停止をお願いしたい
水道を止めてください
工事が停止しています
工事を停止してください
工事を中止してください
バス停はどこですか
バス停
最寄りのバス停から徒歩何分ですか
不要な家具の処分をお願いしたい
不要な家具
不要な家具があります
不用品の回収について
警報の解除方法を教えてください
アラームを解除してください
契約を解除したい
賃貸契約の解約について教えてください
空き家は不要なので処分したい
家はもういりません
返信不要
返信は不要です
ご返信は不要です。
お返事は不要です
電話は不要です
領収書は不要です
予約をキャンセルしたい
空き家の相談をしたいです
セミナーに参加したいです
こんにちは
ありがとうございます
資料を送ってください
メールを受け取りました。ありがとうございます
メールが届かないのですが
メールが来ません
ご迷惑をおかけします。空き家の件で相談です
迷惑メールフォルダに入っていました
メールを削除してしまったので再送してください
先ほどのメールは削除してください
先ほどのメールは破棄してください。間違えました。
日程を変更したい
予約の変更をお願いします
このメールの配信停止をご希望の場合は、以下のURLからお手続きいただくか、返信にてご連絡ください。
配信停止をご希望の方はこちら
To stop receiving these e-mails, use the link below or reply to this message.
To unsubscribe, click here.
If you no longer wish to receive these emails, click here.
If you are not the intended recipient, please delete this email.
本メールを誤って受信された場合は、お手数ですが削除してください。
お心当たりのない場合は削除してください
bus stop
Where is the bus stop?
The train stopped
Please do not hesitate to contact me
Thank you for your email
When is the seminar?
hello
父が亡くなり空き家を相続しました。相談したいです。
止まらない雨漏りに困っています
エアコンが停止した
営業日を教えてください
写真はいつ届きますか
不要品の処分
配信停止しないようにお願いします
配信停止する必要はありません
停止するつもりはありません
配信停止してほしいわけではありません
停止しなくて結構です
メールの停止は不要です
退会したくないです
解約しません
解除は取り消してください
メールを止めないでほしいです
止めないで
停止させないで
送信を停止しないで
配信停止の取り消しをお願いします
I don't wish to unsubscribe
please do not remove me from the list
There is no need to unsubscribe me
I did not unsubscribe
空き家の草が伸びて困っています
電気が停止しました
エレベーターが停止している
運転停止
水道・電気の停止手続きについて
ガスの解約はどうすればいいですか
実家を解体したいです
家具はいりませんか
車はいらないので処分したい
見積もりは不要です
資料は不要です
査定は結構です
その日程で結構です
はい、それで大丈夫です
10時で結構です
お電話にて結構です
折り返しの電話は不要です
添付は不要ですか
印鑑は不要でしょうか
予約は不要ですか?
申し込みは不要ですか
参加費はいりますか
契約を解除されました
空き家は止めて土地を探しています
補助金の申請を取り消したい
メールの内容について質問です
案内にあった相談会に参加します
メールありがとうございます。空き家の売却を検討しています。
登録した情報で相談できますか
相談に必要な書類を教えてください
会場への案内を送ってください
写真を送ってください
個人情報の取り扱いについて教えてください
うちの空き家の情報を知りたい
物件情報を送ってください
セミナーは何時からですか
お知らせをありがとうございました
名前は山田です
I would like to change my appointment
What is the price?
The bus stop is far
Our house needs repair
Could you send me more information?
I will stop by your office tomorrow
Can I delete the photo?
How do I register?
the water stopped
one-stop service
ワンストップサービスについて
ワンストップ相談窓口はありますか
ワンストップ特例申請書を送ってください
配信停止⏎しないでください
水道を⏎停止してください
"""
ERASURE = """
please remove this address
登録抹消
登録を抹消したい
会員登録削除
個人情報を削除してください
個人情報の削除をお願いします
私の個人情報を消してください
アドレスを消して
メールアドレスを削除してください
メアド消して
データを消去してください
私のデータを全て削除してください
登録情報を削除してください
登録情報の抹消をお願いします
アカウントを削除したい
個人データを破棄してください
情報を消してください
私に関する記録をすべて消去してください
名前と住所を削除してください
削除
削除してください
削除お願いします
消してください
さくじょしてください
登録を削除してください
個人情報を削除していただけますか
個人情報の削除はできますか
忘れられる権利を行使します
配信停止と個人情報の削除をお願いします
delete my data
Please delete my data
Delete all my personal information
erase my personal data
remove my data
remove my personal information from your systems
please delete my email address
delete my account
right to be forgotten
I request erasure of my data under Article 17 GDPR.
delete me
delete everything
deletion of my data
個人情報を delete してください
delete
メール配信の停止と、登録されている個人情報の消去を求めます。
私の個人情報をすべて削除し、今後メールを送らないでください。
登録しているメールアドレスを消してほしいです
アドレス消してください
メールアドレスの削除を希望します
データベースから私の情報を削除してください
名簿から私の個人情報を削除してください
御社が保有する私の個人データの消去を請求します
Please delete all data you have about me
Please erase all personal data you hold on me
kindly delete my information from your database
I want my data deleted
Can you delete my data?
How can I delete my data?
forget me
"""
DISCLOSURE = """
開示
開示請求
個人情報の開示を請求します
個人情報の開示をお願いします
保有個人データの開示を求めます
私の情報を開示してください
私のどんな情報を持っていますか
どのような個人情報を保有していますか
どんなデータが登録されていますか?
登録内容を確認したいです
登録されている情報を教えてください
私について保有している情報を教えてください
私の登録情報を見せてください
個人情報は何を持っていますか
利用目的の通知を求めます
ｶｲｼﾞ請求
What data do you hold about me?
What information do you have about me?
what do you know about me?
Please send me a copy of my data
I would like to access my personal data
Subject access request
DSAR
Under Article 15 GDPR I request access
Please disclose my personal information
Please tell me what personal data you store
開示してください。その後削除してください。
どこまで私の情報を把握しているのか教えてください
貴社が保有する私の個人情報の開示をお願いいたします。
個人情報保護法第33条に基づき開示を請求します。
私の登録内容を教えてください
登録されているメールアドレスを教えてください
Could you tell me what information you hold about me?
Send me all the data you have on me
I would like a copy of the personal data you hold about me and I want you to stop emailing me
"""
CORRECTION = """
アドレスが変わりました
メールアドレスが変わりました
アドレス変更
メールアドレスを変更したい
メールアドレスの変更をお願いします
アドレス変更しました
新しいアドレスは下記です
名前が間違っています
氏名の訂正をお願いします
名前を直してください
住所を変更してください
住所が変わりました
登録情報の訂正をお願いします
登録内容を変更したいです
電話番号を修正してください
配信先を変更してください
個人情報の訂正を請求します
改姓したので名前を変更してください
change my address
Please change my email address
update my email
My email address has changed
my new email address is below
Please correct my name
I have a new email address
Rectification of my data
My name is misspelled
メールアドレスを変更できますか
メアドが変わりました
メアド変えました
メールアドレスを変えたので登録を変更してください
メールの送り先を変更してください
今後はこちらのアドレスに送ってください。アドレスが変わりました
登録メールアドレスの変更
苗字が変わりました
名前の漢字が違っています
Please update my contact details
Please change my name
the name is wrong, please correct my name
Please send mail to my new address instead: my email address has changed
"""
STOP_USE = """
利用停止
個人情報の利用停止を求めます
個人情報の利用を停止してください
個人情報を使わないでください
私のデータを利用しないでください
メールアドレスを使わないで
個人情報の第三者提供を停止してください
個人情報を第三者に提供しないでください
同意を撤回します
同意の撤回
個人データの使用停止
私の情報の利用を禁止します
アドレスを営業に使わないでください
stop using my data
Do not use my personal data
do not sell my data
I object to the processing of my data
I withdraw my consent
I object to direct marketing
please stop processing my personal information
私の個人情報の利用をやめてください
個人情報の使用を停止してください
データの第三者提供をやめてください
私のメールアドレスの使用を禁じます
個人情報の利用を拒否します
同意を取り消します
以前の同意を撤回いたします
Stop sharing my personal information
I revoke my consent
"""
TABLE = {
    Wish.STOP: STOP,
    Wish.MAYBE_STOP: MAYBE_STOP,
    Wish.INQUIRY: INQUIRY,
    Wish.ERASURE: ERASURE,
    Wish.DISCLOSURE: DISCLOSURE,
    Wish.CORRECTION: CORRECTION,
    Wish.STOP_USE: STOP_USE,
}


def lines(table: str) -> list[str]:
    return [line.replace("⏎", "\n") for line in table.strip().splitlines()]


PHRASES = [(line, wish) for wish, table in TABLE.items() for line in lines(table)]
PROPERTY = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
STOPPING = {Wish.STOP, Wish.MAYBE_STOP}
NOTICE = current(TextId.UNSUBSCRIBE_NOTICE)


@pytest.mark.parametrize(("words", "wish"), PHRASES)
def test_what_people_write(words: str, wish: Wish) -> None:
    understood = understand("", words)
    assert understood.wish is wish, understood
    assert understood.reason in REASONS
    assert 0 < understood.confidence < 100


def test_the_table_is_large_and_says_nothing_twice() -> None:
    assert len(PHRASES) == len({words for words, _ in PHRASES}) >= 850


# --- the subject


@pytest.mark.parametrize(
    ("subject", "words", "wish"),
    [
        ("配信停止希望", "", Wish.STOP),
        ("配信停止", "山田太郎です", Wish.STOP),
        ("unsubscribe", "", Wish.STOP),
        ("個人情報の開示請求", "よろしくお願いします", Wish.DISCLOSURE),
        ("配信停止 Re: 夏のセミナー", "", Wish.STOP),
        ("Re: 夏のセミナー", "停止", Wish.STOP),
        ("Re: 配信停止のお知らせ", "ありがとう", Wish.INQUIRY),
        ("RE:RE: stop", "", Wish.INQUIRY),
        ("Re[2]: 配信停止", "", Wish.INQUIRY),
        ("返信: 停止", "", Wish.INQUIRY),
        ("Fwd: 停止", "", Wish.INQUIRY),
        ("停止", "停止しないで", Wish.MAYBE_STOP),
        ("件名なし", "", Wish.INQUIRY),
    ],
)
def test_a_subject_counts_unless_it_is_of_a_reply(subject: str, words: str, wish: Wish) -> None:
    assert understand(subject, words).wish is wish


@pytest.mark.parametrize("subject", ["", " ", "Re: 停止", "──", "https://example.jp/u/stop"])
def test_no_words_at_all(subject: str) -> None:
    assert understand(subject, " \n> 停止\n") == Understanding(Wish.INQUIRY, 30, "no_words")


# --- more than one wish


@pytest.mark.parametrize(
    ("words", "wish", "also"),
    [
        ("削除してください", Wish.ERASURE, (Wish.STOP,)),
        ("個人情報を削除してください", Wish.ERASURE, ()),
        ("個人情報を削除し、配信停止してください", Wish.ERASURE, (Wish.STOP,)),
        ("開示してください。その後、削除してください。", Wish.DISCLOSURE, (Wish.ERASURE,)),
        ("アドレス変更です。古い方への配信は停止して。", Wish.CORRECTION, (Wish.STOP,)),
        ("どんな情報を持っていますか。覚えがない。", Wish.DISCLOSURE, (Wish.MAYBE_STOP,)),
        ("登録した覚えがない。停止してください。", Wish.STOP, (Wish.MAYBE_STOP,)),
    ],
)  # fmt: skip
def test_what_else_is_asked_for(words: str, wish: Wish, also: tuple[Wish, ...]) -> None:
    understood = understand("", words)
    assert (understood.wish, understood.also) == (wish, also)


# --- our own words and other people's


@pytest.mark.parametrize("notice", [NOTICE.ja, NOTICE.en])
@pytest.mark.parametrize("width", [10, 20, 34, 76, 500])
def test_our_own_notice_is_not_the_persons(notice: str, width: int) -> None:
    wrapped = "\n".join(notice[i : i + width] for i in range(0, len(notice), width))
    assert understand("", wrapped).reason == "no_words"
    assert understand("", f"相談会に参加します。\n{wrapped}").wish is Wish.INQUIRY
    assert understand("", f"もう送らないでください。\n{wrapped}").wish is Wish.STOP
    assert understand("", f"停止しないでください。\n{wrapped}").wish is Wish.INQUIRY


def test_our_whole_footer_is_not_the_persons() -> None:
    text = (
        f"{NOTICE.ja}\n配信停止: https://optin.example.jp/u/x\n返信先: reply@mail.example.jp\n"
        f"{NOTICE.en}\nUnsubscribe: https://optin.example.jp/u/x\nReply to: reply@mail.example.jp\n"
    )
    html = (
        f"{NOTICE.ja}\n配信停止の手続きへ\n返信先: reply@mail.example.jp\n"
        f"{NOTICE.en}\nUnsubscribe\nReply to: reply@mail.example.jp\n"
    )
    assert understand("", f"ありがとう\n\n{text}").wish is Wish.INQUIRY
    assert understand("", f"ありがとう\n\n{html}").wish is Wish.INQUIRY
    assert understand("", f"停止\n\n{html}").wish is Wish.STOP


def test_links_and_addresses_say_nothing() -> None:
    words = "資料です https://example.jp/stop stop@mail.example.jp <mailto:unsubscribe@x.example>"
    assert understand("", words).reason == "nothing_recognised"


# --- long mails

STORY = "空き家の屋根が傷んでいるので、修理の費用と補助の制度について伺いたいです。\n"


def test_a_stop_deep_in_a_long_text_is_looked_at() -> None:
    deep = STORY * 8 + "メールの配信を停止してください。\n" + STORY * 8
    assert understand("", deep).reason == "stop_deep_in_text"


def test_a_stop_at_either_end_of_a_long_text_is_a_stop() -> None:
    assert understand("", "メールの配信を停止してください。\n" + STORY * 16).wish is Wish.STOP
    assert understand("", STORY * 16 + "今後のメールは不要です。").wish is Wish.STOP


def test_a_word_that_names_nothing_beside_much_else_is_looked_at() -> None:
    assert understand("", STORY * 4 + "やめてください。").reason == "stop_deep_in_text"


def test_a_huge_text_is_read_at_its_ends() -> None:
    filler = "あ。" * 500_000
    assert understand("", f"メールの配信を停止してください。{filler}").wish is Wish.STOP
    assert understand("", f"{filler}メールの配信を停止してください。").wish is Wish.STOP
    assert understand("", "停止" * 200_000).wish in STOPPING
    assert understand("", "a " * 200_000).wish is Wish.INQUIRY


# --- for all words

SURE = lines(STOP)
SHORT_STOPS = [line for line in SURE if len(line) <= 20 and "\n" not in line]
GREETINGS = st.sampled_from(
    [
        "",
        "お世話になっております。",
        "いつもありがとうございます。\n",
        "こんにちは、山田です。\n",
        "突然のメール失礼いたします。",
        "恐れ入りますが、",
        "お手数ですが、",
        "Hello,\n",
        "Dear sir,\n",
    ]
)
FAREWELLS = st.sampled_from(
    [
        "",
        "\nよろしくお願いいたします。",
        "\n山田太郎",
        "。宜しくお願い致します",
        "\n以上です。",
        "\nThank you.",
        "\nRegards,\nTaro",
        "\n\n090-1234-5678",
        "!!!",
        "。",
        "\n(^^)",
    ]
)


@PROPERTY
@given(st.text(), st.text(max_size=2000))
@example("\ud800", "停止\udfff")
def test_nothing_raises(subject: str, words: str) -> None:
    understood = understand(subject, words)
    assert understood.reason in REASONS
    assert understood.wish not in understood.also
    assert Wish.INQUIRY not in understood.also


@PROPERTY
@given(st.lists(st.sampled_from([p for p, _ in PHRASES]), max_size=5).map("".join))
def test_phrases_run_together_do_not_raise_either(words: str) -> None:
    assert understand(words, words).wish in Wish


@PROPERTY
@given(GREETINGS, st.sampled_from(SURE), FAREWELLS)
def test_courtesies_do_not_hide_a_stop(greeting: str, words: str, farewell: str) -> None:
    assert understand("", greeting + words + farewell).wish in STOPPING


@PROPERTY
@given(st.sampled_from(SHORT_STOPS), st.sampled_from(" 　\n\t\u200b"), st.integers(0, 30))
def test_blanks_around_a_stop_change_nothing(words: str, blank: str, times: int) -> None:
    assert understand("", blank * times + words + blank * times).wish is Wish.STOP


@PROPERTY
@given(st.sampled_from(SURE))
def test_case_and_width_change_nothing(words: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" < c <= "~" else c for c in words)
    for changed in (words.upper(), words.lower(), wide):
        assert understand("", changed).wish is Wish.STOP


OBJECTS = st.sampled_from(["", "配信", "メール配信", "メールの配信を", "メルマガの配信", "案内の"])
VERBS = st.sampled_from(["停止", "解除", "中止"])
NEGATIONS = st.sampled_from(
    [
        "しないで",
        "しないでください",
        "をしないで下さい",
        "はしないでほしい",
        "しないようにお願いします",
        "しなくていいです",
        "したくない",
        "したくありません",
        "する必要はありません",
        "は不要です",
        "は希望しません",
        "せずにお願いします",
        "するな",
        "をやめてください",
        "はいりません",
        "しません",
    ]
)


@PROPERTY
@given(GREETINGS, OBJECTS, VERBS, NEGATIONS, FAREWELLS)
def test_a_negated_stop_is_never_a_stop(
    greeting: str, thing: str, verb: str, negation: str, farewell: str
) -> None:
    assert understand("", greeting + thing + verb + negation + farewell).wish is not Wish.STOP


@PROPERTY
@given(
    st.sampled_from(["don't ", "please do not ", "Do NOT ", "never ", "I don't want to "]),
    st.sampled_from(["unsubscribe me", "stop sending", "remove me from the list", "opt me out"]),
    FAREWELLS,
)
def test_a_negated_stop_in_english(negation: str, words: str, farewell: str) -> None:
    assert understand("", negation + words + farewell).wish is not Wish.STOP


# --- a reference to the GDPR


@pytest.mark.parametrize(
    "words",
    [
        "Under Article 15 GDPR I ask for a copy of my data.",
        "GDPRに基づき、開示を請求します。",
        "ＧＤＰＲ第17条により削除してください",
        "EU一般データ保護規則に基づく請求です",
        "I invoke the General Data\nProtection Regulation.",
        "Regulation (EU) 2016/679",
        "Auskunft nach Art. 15 DSGVO",
        "gemäß DS-GVO und der Datenschutz-Grundverordnung",
        "conformément au RGPD",
        "le Règlement général sur la protection des données",
    ],
)
def test_a_reference_to_the_gdpr(words: str) -> None:
    assert cites_gdpr("", words)
    assert cites_gdpr(words.replace("\n", " "), "")
    assert not cites_gdpr(f"Re: {words}", "会場はどこですか。")


@pytest.mark.parametrize(
    "words",
    [
        "個人情報を開示してください。",
        "Please delete my data (article 17).",
        "hugdprs",
        "https://example.eu/gdpr",
        "",
    ],
)
def test_no_reference_to_the_gdpr(words: str) -> None:
    assert not cites_gdpr(words, words)


# --- words for staff


def test_every_reason_has_its_words() -> None:
    for ja, en in REASONS.values():
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", ja)
        assert en.isascii()


def test_kinds_of_cases_are_wishes() -> None:
    assert {kind.value for kind in CaseKind} <= {wish.value for wish in Wish}
