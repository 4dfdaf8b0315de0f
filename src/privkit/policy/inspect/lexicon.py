"""The words that columns are named by, and the words that values of some types are made of.

Phrases are in lower case with `_` between words; a phrase in Chinese is found anywhere in a name, one in letters only
as whole words. Pinyin initials (`sfzh`) count only as the whole name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PHRASES: Final[Mapping[tuple[str, ...], str]] = {
    ("person_name",): (
        "姓名 名字 收货人 收件人 寄件人 联系人 持卡人 真实姓名 客户名称 曾用名 real_name full_name first_name "
        "last_name given_name family_name surname customer_name person_name contact_name receiver_name recipient_name "
        "cardholder_name patient_name employee_name receiver recipient consignee cardholder contact_person xm xingming "
        "客户名 顾客 签收人 快递员 派件员 配送员 骑手 司机 收银员 业务员 销售员 经办人 负责人 法人 法定代表人 投保人 "
        "被保险人 受益人 车主 入住人 乘客 乘机人 旅客 监护人 收票人 开票人 收款人 付款人 收款方 付款方 户名 开户名 "
        "mbr_nm cust_nm cust_name member_name buyer_name true_name truename passenger driver"
    ),
    ("person_name", "user_name"): "name 操作人 客服 坐席",
    ("gender",): "性别 gender sex xb xingbie",
    ("birth_date",): (
        "出生日期 出生年月日 出生年月 生日 birth_date date_of_birth birthday birth birthdate dob csrq birth_day "
        "birth_dt bday"
    ),
    ("ethnicity",): "民族 ethnicity ethnic_group ethnic nation minzu mz race folk",
    ("nationality",): "国籍 国家 nationality citizenship country gj country_code country_name",
    ("cn_mobile", "cn_landline"): (
        "电话 联系电话 联系方式 电话号码 phone phone_no telephone tel contact_phone phone_number dianhua lxdh dh "
        "被叫号码"
    ),
    ("cn_mobile",): (
        "手机 手机号 手机号码 移动电话 mobile mobile_phone cell cell_phone cellphone mobile_no msisdn shouji sjh sjhm "
        "来电号码 主叫号码 mob phone_num cell_no"
    ),
    ("cn_landline",): "固定电话 固话 座机 landline home_phone office_phone fixed_phone fax 传真 gddh",
    ("email",): (
        "邮箱 电子邮箱 电子邮件 邮件地址 email e_mail mail email_address e_mail_address yx dzyx 邮箱地址 电邮 "
        "电子邮件地址 mail_address"
    ),
    ("cn_province",): (
        "省 省份 所在省 省级行政区 province sheng sf 省级 归属地 籍贯 province_name prov prov_name receiver_state "
        "ip属地"
    ),
    ("cn_city",): "城市 地市 市 所在城市 city chengshi 地级 city_name",
    ("cn_county",): "区县 县区 区 县 county district qx quxian county_name district_name area",
    ("cn_division",): (
        "行政区划 行政区划代码 区划代码 地区代码 行政区划码 division_code area_code region_code adcode xzqh "
        "province_code city_code county_code district_code"
    ),
    ("address_detail",): (
        "地址 收货地址 详细地址 家庭住址 住址 联系地址 街道 门牌号 户籍地址 address address_detail addr street "
        "street_address address_line shipping_address home_address detail_address dizhi dz 户口所在地 所在地"
    ),
    ("postcode",): "邮编 邮政编码 postcode post_code postal_code zip zip_code zipcode yb yzbm",
    ("user_name",): (
        "用户名 会员名 旺旺 昵称 用户昵称 登录名 用户id 会员号 会员id 用户编号 客户编号 会员编号 user_id user_name "
        "username login login_name nick nick_name nickname member_id customer_id client_id uid openid open_id union_id "
        "unionid screen_name buyer_id buyer_nick wechat wechat_id qq 微信号 qq号 account_name yhm userid user handle "
        "人id 抖音号 快手号 小红书号 微博 工号 会员卡号 cust_id custid distinct_id wxid employee_id emp_id staff_id"
    ),
    ("user_name", "payment_account", "email", "bank_card", "cn_mobile"): "账号 帐号 账户 account account_no zh",
    ("bank_card", "payment_account"): "银行账号 银行账户 对公账号 对公账户 结算账户 退款账户 开户行及账号 账号及开户行",
    ("payment_account",): (
        "支付账号 支付账户 支付宝账号 支付宝账户 微信支付账号 收款账号 payment_account alipay_account alipay "
        "pay_account paypal_account payee_account"
    ),
    ("password",): (
        "密码 口令 支付密码 password passwd pwd passcode password_hash pass_hash pin secret mm mima 验证码 cvv cvv2 "
        "cvc session_key access_token refresh_token verify_code sms_code"
    ),
    ("security_answer",): "密保 密保答案 安全问题 密保问题 security_answer secret_answer security_question 问题答案",
    ("cn_resident_id",): (
        "身份证 身份证号 身份证号码 公民身份号码 居民身份证 id_card idcard id_card_no resident_id identity_card "
        "citizen_id national_id cert_no sfz sfzh sfzhm shenfenzheng"
    ),
    ("cn_resident_id", "passport", "cn_travel_permit"): (
        "证件号 证件号码 证件 id_no id_number identity_no identity_number document_no certificate_no zjhm zjh"
    ),
    ("passport",): "护照 护照号 护照号码 passport passport_no passport_number hz hzh",
    ("cn_travel_permit",): "通行证 通行证号 回乡证 台胞证 港澳台通行证 travel_permit permit_no",
    ("cn_credit_code",): (
        "统一社会信用代码 信用代码 营业执照号 税号 纳税人识别号 credit_code social_credit_code uscc tax_id taxpayer_id "
        "business_license"
    ),
    ("cn_plate",): (
        "车牌 车牌号 车牌号码 plate license_plate licence_plate plate_no plate_number car_no cph 牌照 号牌 号牌号码 "
        "车号 plate_num vehicle_no"
    ),
    ("bank_card",): (
        "银行卡 银行卡号 卡号 信用卡号 储蓄卡号 bank_card card_no card_number bank_account "
        "credit_card debit_card bank_card_no cardno pan bank_account_no yhk yhkh kh card_num bank_no bank_num "
        "bank_card_number"
    ),
    ("amount",): (
        "金额 货款 邮费 总价 单价 价格 实付 应付 实付款 运费 优惠 退款 amount price total total_price fee cost payment "
        "paid total_amount discount freight refund subtotal unit_price revenue je 手续费 服务费 保费 保额 餐费 配送费 "
        "快递费 房费 找零 税额 合计 小计 销售额 成交额 客单价 售价 原价 京东价 打赏 佣金 补贴 红包 押金 定金 订金 "
        "注册资本 消费 面额 保证金 amt gmv pay_amt pay_amount"
    ),
    ("payment_method",): (
        "支付方式 付款方式 支付渠道 支付类型 payment_method pay_method payment_type pay_type pay_channel "
        "payment_channel zffs 支付工具 支付平台 pay_way pay_mode"
    ),
    ("order_number",): (
        "订单 order 订单号 订单编号 订单id 交易号 交易单号 流水号 order_id order_no order_number order_sn order_code "
        "trade_no transaction_id transaction_no trade_id invoice_no serial_no ddh ddbh 单号 保单号 处方号 取餐号 "
        "发票号 发票号码 发票代码 合同号 退款编号 退款id 工单号 tid oid policy_no contract_no"
    ),
    ("tracking_number",): (
        "快递单号 运单号 物流单号 运单编号 tracking_number tracking_no tracking waybill waybill_no express_no "
        "logistics_no shipment_id kddh ydh 运单 面单号 包裹号 mail_no express_number parcel_no"
    ),
    ("courier",): (
        "快递公司 物流公司 承运商 快递 courier carrier express_company logistics_company shipper kdgs express_code "
        "express_name logistics_name"
    ),
    ("timestamp", "date"): (
        "时间 下单时间 创建时间 支付时间 更新时间 登录时间 time datetime timestamp created_at updated_at create_time "
        "update_time order_time pay_time at created updated login_time ts rq sj 预计送达 gmt_create gmt_modified"
    ),
    ("date", "timestamp"): "日期 下单日期 注册日期 date day order_date 有效期 expiry dt",
    ("duration",): (
        "停留时长 时长 停留时间 浏览时长 停留 duration stay_seconds stay dwell dwell_time seconds session_length "
        "stay_time stay_duration"
    ),
    ("ip_address",): "ip ip地址 登录ip ip_address ipaddr client_ip remote_addr login_ip source_ip ip_addr ipv4 ipv6",
    ("mac_address",): "mac mac地址 mac_address wifi_mac mac_addr bssid",
    ("url",): (
        "网址 链接 页面地址 url link uri href referer referrer page_url landing_page website homepage 浏览页面 头像 "
        "图片 avatar image img pic"
    ),
    ("imei",): "imei imei号 设备识别码 imei1 imei2 串号 手机串号",
    ("imsi",): "imsi imsi号",
    ("oaid",): "oaid idfa gaid aaid idfv 广告标识 广告标识符 advertising_id ad_id",
    ("oaid", "imei", "mac_address"): "设备号 设备id 设备标识 device_id device_no deviceid udid android_id",
    ("device_model",): (
        "设备型号 手机型号 机型 型号 设备 device_model phone_model model device handset brand_model device_name sbxh "
        "手机品牌 终端型号 phone_brand device_brand"
    ),
    ("coordinates",): "经纬度 坐标 定位 位置坐标 coordinates latlng lat_lng lat_lon location gps geo_point geo",
    ("coordinates", "number"): "经度 纬度 lat lng lon latitude longitude",
    ("search_words",): (
        "搜索词 搜索 搜索关键词 关键词 关键字 search_words search_term search_query search keyword keywords query "
        "search_keyword"
    ),
    ("biometric_template",): (
        "人脸 人脸特征 指纹 声纹 虹膜 掌纹 生物特征 面部 face_template face_feature face_embedding face_vector "
        "faceprint fingerprint voiceprint iris biometric biometrics biometric_template face_id face voice_print "
        "palm_print"
    ),
    ("health",): (
        "健康 健康状况 病史 疾病 诊断 过敏 过敏史 用药 药物 血型 病历 残疾 health illness disease diagnosis allergy "
        "allergies medical medication medical_history blood_type disability icd10 icd_code symptom prescription"
    ),
    ("religion",): "宗教 宗教信仰 信仰 religion religious faith belief zjxy",
    ("politics",): "政治面貌 党派 政治 politics political party_member political_status political_party zzmm",
    ("wealth",): (
        "收入 年收入 月收入 工资 薪资 年薪 资产 财产 余额 负债 存款 征信 income salary wage annual_income wealth "
        "assets net_worth balance debt savings credit_score account_balance 月薪 底薪 公积金 贷款 信用额度 授信额度 "
        "credit_limit"
    ),
    ("free_text",): (
        "user_agent useragent ua 备注 评价 评论 留言 描述 说明 反馈 内容 投诉 买家留言 客服记录 note notes comment "
        "comments remark remarks review message feedback description desc content memo free_text body complaint "
        "transcript bz 聊天记录 聊天内容 会话内容 轨迹 处理结果 追评 意见 建议"
    ),
    ("number",): (
        "年龄 岁数 积分 数量 评分 age points quantity qty count rating score num cnt 次数 件数 满意度 重量 weight 人数 "
        "张数 积分余额 点赞 点赞数 播放量 浏览量 访问量 粉丝数 评论数 收藏数 转发数 身高 体重"
    ),
    ("text",): (
        "标题 title 运送方式 配送方式 shipping_method lineitem_name line_item 商品 商品名称 商品名 产品名称 店铺 "
        "店铺名称 公司名称 公司 单位名称 品牌 文件名 类目 类别 分类 规格 颜色 尺寸 状态 类型 等级 标签 商品id 商品编号 "
        "product_name product item_name item goods_name goods sku spu shop_name shop store_name store company "
        "company_name organisation organization brand file_name filename category color colour size status state type "
        "level tag tags flag verified enabled version product_id sku_id item_id goods_id shop_id store_id is_deleted "
        "channel source campaign event event_name event_type currency language locale rank 发票抬头 购方名称 销方名称 "
        "开户行 开户银行 bank_name 证件类型 部门 岗位 职位 门店 商户号 merchant_id mch_id "
        "供应商名称 企业名称 原因 渠道 来源 reason 会话id session_id"
    ),
}
"""By the types that a phrase may mean, likeliest first: the phrases."""

NO_TYPE_SAID: Final = frozenset({"text"})
"""Types that a name gives to columns that say nothing of a person by themselves."""

KEPT: Final = frozenset(
    {"password", "biometric_template", "security_answer", "health", "religion", "politics", "wealth", "payment_account"}
)
"""Types that a name gives whatever the values look like: any value may be one, and calling it less would be worse."""

FILLERS: Final = _words(
    "no num number nbr code str string value val raw new old plain cn zh en 1 2 3 号 号码 编号 代码"
)
"""Words at the end of a name that do not change what it says."""

OWNERS: Final = _words(
    "user customer client member buyer seller receiver recipient consignee sender contact person personal patient "
    "employee staff my your his her the their t c f 用户 客户 会员 买家 卖家 收货 收货人 收件 收件人 寄件 寄件人 顾客 "
    "乘客 旅客 车主 联系 联系人 患者 员工 本人 个人 billing shipping delivery order account register registered login "
    "home work last first"
)
"""Words at the front of a name that say whose or which it is, and not what."""

PLACEHOLDERS: Final = frozenset(
    ("", "-", "--", "---", "/", "n/a", "na", "null", "none", "nil", "\\n", "nan", "?", "无", "空", "暂无", "未填",
     "未填写", "未知", "不详", "unknown", "(null)", "<null>", "#n/a")
)  # fmt: skip
"""What stands for nothing in exports, in lower case; it says nothing of what a column is."""


SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易"
    "乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉骆游费蓝卜麦房屈"
    "祁饶辛管车路桂迟谌鲍华鞠缪冷边卫蒲滕苟应臧窦池艾景党席佟娄蔺芦封鄢阎商晏仇储"
)
COMPOUND_SURNAMES: Final = (
    "欧阳",
    "上官",
    "司马",
    "诸葛",
    "司徒",
    "夏侯",
    "皇甫",
    "慕容",
    "令狐",
    "尉迟",
    "东方",
    "公孙",
)
GIVEN_NAMES: Final = _words(
    "james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan joseph "
    "jessica "
    "thomas sarah charles karen christopher nancy daniel lisa matthew betty anthony margaret mark sandra donald ashley "
    "steven kimberly paul emily andrew donna joshua michelle kenneth carol kevin amanda brian dorothy george melissa "
    "edward deborah ronald stephanie timothy rebecca jason sharon jeffrey laura ryan cynthia jacob kathleen gary amy "
    "nicholas angela eric shirley jonathan anna stephen brenda larry pamela justin emma scott nicole brandon helen "
    "benjamin samantha samuel katherine peter olivia alexander sophia jack chloe oliver grace henry lucy wei ming li "
    "xiao hans anja julia maria jose luis ana carlos pierre marie ivan olga ahmed fatima mohammed ali alice bob eve tom"
)
COURIERS: Final = (
    "顺丰|圆通|中通|申通|韵达|百世|极兔|德邦|邮政|京东物流|京东快递|菜鸟|丹鸟|天天快递|宅急送|ems|dhl|fedex|ups|"
    "usps|tnt|sf express|"
    "yto|zto|sto express|yunda|jd logistics|j&t|china post|hermes|dpd|gls|royal mail"
)
PAYMENTS: Final = (
    "支付宝|微信|银行卡|信用卡|储蓄卡|借记卡|花呗|白条|货到付款|云闪付|数字人民币|余额|现金|银联|刷卡|找人代付|"
    "apple pay|alipay|wechat ?pay|"
    "credit ?card|debit ?card|paypal|cash|unionpay|bank transfer|google pay|visa|mastercard|cod"
)
DEVICES: Final = (
    "huawei|honor|xiaomi|redmi|mi \\d|oppo|vivo|iqoo|oneplus|realme|meizu|samsung|galaxy|sm-[a-z]\\d|iphone|ipad|"
    "macbook|"
    "pixel|nokia|motorola|moto |sony|xperia|lenovo|zte|nubia|surface|华为|荣耀|小米|红米|三星|苹果|魅族|一加|真我|联想"
)
RELIGIONS: Final = (
    "佛教|道教|伊斯兰教|基督教|天主教|东正教|藏传佛教|犹太教|印度教|无宗教信仰|buddhis[mt]|daois[mt]|taois[mt]|"
    "islam|muslim|"
    "christian(?:ity)?|catholic(?:ism)?|protestant(?:ism)?|jewish|judaism|hindu(?:ism)?|sikh(?:ism)?|atheis[mt]|"
    "agnostic"
)
POLITICS: Final = (
    "中共党员|中共预备党员|共青团员|群众|民革党员|民盟盟员|民建会员|民进会员|农工党党员|致公党党员|九三学社社员|"
    "台盟盟员|"
    "无党派(?:人士|民主人士)?|党员|团员|democrats?|republicans?|independent"
)
ILLNESSES: Final = (
    "不耐受|综合征|术后|[病炎症癌瘤]$|高血压|糖尿病|高血脂|冠心病|心脏病|哮喘|过敏|癌|肿瘤|乙肝|肝炎|肺炎|胃炎|"
    "关节炎|痛风|贫血|抑郁|焦虑症|癫痫|"
    "孕|骨折|"
    "近视|鼻炎|颈椎病|手术|残疾|hypertension|diabetes|asthma|allerg|cancer|tumou?r|hepatitis|arthritis|gout|depression|"
    "epilepsy|pregnan|migraine|anaemia|anemia|stroke|hiv"
)
COUNTRIES: Final = _words(
    "中国 中华人民共和国 美国 英国 法国 德国 日本 韩国 俄罗斯 加拿大 澳大利亚 印度 新加坡 马来西亚 泰国 越南 "
    "意大利 西班牙 巴西 "
    "china usa us uk gb france germany japan korea russia canada australia india singapore malaysia thailand vietnam "
    "italy spain brazil cn fr de jp kr ru ca au sg my th vn it es br chn gbr fra deu jpn kor rus can aus ind sgp"
)
